// SPDX-License-Identifier: Apache-2.0
import { getJson, type Json, kubectl, ok } from './harness.ts';

/** A spec that is small, so that many fit on the node. */
export const small = (memory = '64Mi', extra = ''): string =>
  `  resources:\n    requests: { cpu: 5m, memory: 16Mi }\n    limits: { memory: ${memory} }\n${extra}`;

/** Events about a sandbox, oldest first. */
export async function eventsOf(name: string, namespace: string): Promise<Json[]> {
  const { items } = await getJson(['events.events.k8s.io', '-n', namespace]);
  return items.filter((one: Json) => one.regarding?.name === name);
}
export const reasonsOf = async (name: string, namespace: string): Promise<string[]> =>
  (await eventsOf(name, namespace)).map(({ reason }) => reason);

export const patch = (name: string, namespace: string, body: object) =>
  ok(kubectl(['patch', 'sandbox', name, '-n', namespace, '--type=merge', '-p', JSON.stringify(body)]));

export const podUid = async (name: string, namespace: string): Promise<string> =>
  (await getJson(['pod', `${name}-pod`, '-n', namespace])).metadata.uid;
