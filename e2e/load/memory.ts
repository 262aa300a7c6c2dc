// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { type KubeObject, PODS } from '@agenttier/machinery/kube/resource';
import { call, type Target } from './rest.ts';
import { type Figure, figure } from './stats.ts';

const METRICS_PORT: Readonly<Record<string, number>> = { webhook: 8081, operator: 8081, router: 8080 };
const MIB = 1024 * 1024;

/** Resident memory of each replica of a component, as the process itself reports it. */
async function component(client: KubeClient, name: string): Promise<Figure> {
  const pods = await client.list<KubeObject & { status: { podIP: string } }>(PODS, {
    namespace: 'agenttier',
    labelSelector: `app.kubernetes.io/component=${name}`,
  });
  const values: number[] = [];
  for (const pod of pods.items) {
    const answer = await fetch(`http://${pod.status.podIP}:${METRICS_PORT[name]}/metrics`);
    const line = /^process_resident_memory_bytes(?:\{.*\})? (\S+)$/m.exec(await answer.text());
    if (line === null) throw new Error(`${name} reports no resident memory`);
    values.push(Number(line[1]) / MIB);
  }
  return figure(`resident memory, ${name}`, values, 'its own /metrics, one value a replica', 'MiB');
}

async function runtime(target: Target, sandbox: string): Promise<Figure> {
  const path = `/sandboxes/${sandbox}/exec?namespace=${target.namespace}`;
  const { stdout } = (await call(target, 'POST', path, {
    command: "awk '/VmRSS/ { print $2 }' /proc/1/status",
  })) as {
    stdout: string;
  };
  return figure(
    'resident memory, in-pod runtime',
    [Number(stdout) / 1024],
    '/proc/1/status in a sandbox',
    'MiB',
  );
}

export async function measureMemory(client: KubeClient, target: Target, sandbox: string): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const name of Object.keys(METRICS_PORT)) figures.push(await component(client, name));
  return [...figures, await runtime(target, sandbox)];
}
