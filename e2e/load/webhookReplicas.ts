// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import {
  type KubeObject,
  MUTATING_WEBHOOK_CONFIGURATIONS,
  VALIDATING_WEBHOOK_CONFIGURATIONS,
} from '@agenttier/machinery/kube/resource';
import { freePorts } from '../envtest/processes.ts';
import { bundled, startProcess, stopProcess } from './bundledProcess.ts';

export const INSTALL_NAMESPACE = 'agenttier';
const CONFIGURATION = 'agenttier';
/** Which replica judges a sandbox: a Service would spread them, too. */
export const HALF_LABEL = 'bench.agenttier.dev/half';

export interface Replica {
  readonly webhookPort: number;
  readonly healthPort: number;
  readonly child: ChildProcess;
}

async function start(program: string, index: number, port: number, kubeconfig: string): Promise<Replica> {
  const { child, line } = await startProcess(program, {
    KUBECONFIG: kubeconfig,
    POD_NAME: `replica-${index}`,
    POD_NAMESPACE: INSTALL_NAMESPACE,
    WEBHOOK_PORT: String(port),
    HEALTH_PORT: '0',
    WEBHOOK_CONFIGURATION: CONFIGURATION,
  });
  return { ...(JSON.parse(line) as Omit<Replica, 'child'>), child };
}

/** Starts the replicas as processes of their own and registers them for Sandboxes, each for half of them. */
export async function startReplicas(
  client: KubeClient,
  kubeconfig: string,
  folder: string,
): Promise<Replica[]> {
  const program = await bundled('webhookProcess.ts', folder);
  const ports = await freePorts(2);
  await register(client, ports);
  const replicas = await Promise.all(ports.map((port, index) => start(program, index, port, kubeconfig)));
  for (const replica of replicas) await untilReady(replica);
  return replicas;
}

export const stopReplicas = (replicas: readonly Replica[]): Promise<unknown> =>
  Promise.all(replicas.map(({ child }) => stopProcess(child)));

async function untilReady({ healthPort }: Replica): Promise<void> {
  const deadline = performance.now() + 30_000;
  while ((await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status !== 200) {
    if (performance.now() > deadline) throw new Error('a webhook replica did not get ready');
    await pause(100);
  }
}

async function register(client: KubeClient, ports: readonly number[]): Promise<void> {
  const hooks = (verb: string, more: object): object[] =>
    ports.map((port, index) => ({
      name: `${verb}-${index}.sandboxes.agenttier.io`,
      clientConfig: { url: `https://127.0.0.1:${port}/${verb}/sandboxes` },
      admissionReviewVersions: ['v1'],
      failurePolicy: 'Fail',
      timeoutSeconds: 5,
      objectSelector: { matchLabels: { [HALF_LABEL]: String(index) } },
      rules: [
        {
          apiGroups: [SANDBOXES.group],
          apiVersions: [SANDBOXES.version],
          resources: [SANDBOXES.plural],
          operations: ['CREATE', 'UPDATE'],
        },
      ],
      ...more,
    }));
  const mutating = hooks('mutate', { sideEffects: 'None', reinvocationPolicy: 'IfNeeded' });
  const validating = hooks('validate', { sideEffects: 'NoneOnDryRun' });
  const metadata = { name: CONFIGURATION };
  await client.create(MUTATING_WEBHOOK_CONFIGURATIONS, undefined, {
    metadata,
    webhooks: mutating,
  } as KubeObject);
  await client.create(VALIDATING_WEBHOOK_CONFIGURATIONS, undefined, {
    metadata,
    webhooks: validating,
  } as KubeObject);
}

/** The sum of a metric over its labels, as a replica reports it; undefined when it has none of that name. */
export async function metricOf({ healthPort }: Replica, name: string): Promise<number | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${healthPort}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  // A metric with labels has no line before its first value.
  if (lines.length === 0) return text.includes(`# TYPE ${name} `) ? 0 : undefined;
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
