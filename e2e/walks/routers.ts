// SPDX-License-Identifier: Apache-2.0
import { getJson, kubectl, ok } from './harness.ts';

const NAMESPACE = 'agenttier';

export interface RouterPod {
  readonly name: string;
  readonly uid: string;
  readonly restarts: number;
}

export async function routerPods(): Promise<RouterPod[]> {
  const { items } = await getJson(['pods', '-n', NAMESPACE, '-l', 'app.kubernetes.io/component=router']);
  return (items as { metadata: Json; status: Json }[]).map(({ metadata, status }) => ({
    name: metadata.name,
    uid: metadata.uid,
    restarts: status.containerStatuses?.[0]?.restartCount ?? 0,
  }));
}

// oxlint-disable-next-line typescript/no-explicit-any -- whatever kubectl answers
type Json = any;

/** One figure of one replica, summed over its labels; undefined while it cannot be asked. */
export async function figureOf(pod: string, name: string): Promise<number | undefined> {
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/http:${pod}:8080/proxy/metrics`;
  const { code, stdout } = await kubectl(['get', '--raw', path]);
  if (code !== 0) return undefined;
  const lines = stdout
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Waits for both replicas to take requests again. */
export const routersReady = (): Promise<string> =>
  ok(
    kubectl(['rollout', 'status', '-n', NAMESPACE, 'deployment/agenttier-router', '--timeout=120s'], {
      timeoutMs: 130_000,
    }),
  );
