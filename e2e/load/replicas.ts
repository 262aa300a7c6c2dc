// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { type KubeObject, PODS } from '@agenttier/machinery/kube/resource';

/** One router, asked at its own address and not through the Service. */
export interface Replica {
  readonly name: string;
  readonly uid: string;
  readonly base: string;
}

interface Pod extends KubeObject {
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export async function readyReplicas(client: KubeClient): Promise<Replica[]> {
  const { items } = await client.list<Pod>(PODS, {
    namespace: 'agenttier',
    labelSelector: 'app.kubernetes.io/component=router',
  });
  return items.flatMap(({ metadata, status }) => {
    const ready = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
    if (!ready || metadata.deletionTimestamp !== undefined) return [];
    return [{ name: metadata.name ?? '', uid: metadata.uid ?? '', base: `http://${status?.podIP}:8080` }];
  });
}

/** Until that many routers take requests. */
export async function untilReplicas(client: KubeClient, count: number): Promise<Replica[]> {
  const deadline = performance.now() + 120_000;
  while (performance.now() < deadline) {
    const found = await readyReplicas(client);
    if (found.length >= count) return found;
    await pause(200);
  }
  throw new Error(`there are not ${count} routers within two minutes`);
}

/**
 * The sum over its labels of one figure in a text of Prometheus; undefined when there is no such figure. One with labels that
 * never had a value is announced and has no line: that is 0.
 */
export function valueOf(metrics: string, name: string): number | undefined {
  const lines = metrics.split('\n');
  const values = lines
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
  if (values.length === 0 && !lines.some((line) => line.startsWith(`# TYPE ${name} `))) return undefined;
  return values.reduce((sum, value) => sum + value, 0);
}

export async function metricOf(replica: Replica, name: string): Promise<number> {
  const answer = await fetch(`${replica.base}/metrics`);
  const value = valueOf(await answer.text(), name);
  if (value === undefined) throw new Error(`${replica.name} does not report ${name}`);
  return value;
}
