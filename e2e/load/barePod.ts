// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import {
  type KubeObject,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  type Resource,
} from '@agenttier/machinery/kube/resource';
import { outOfStep } from './rest.ts';
import { type Figure, figure } from './stats.ts';

interface Pod extends KubeObject {
  readonly spec: Record<string, unknown> & { readonly volumes?: readonly Record<string, unknown>[] };
  readonly status?: { readonly phase?: string };
}

/**
 * The alternative to a Sandbox: a pod of the very same shape (copied from a running sandbox's pod, with its init
 * container, probes and mounts) and a claim of the same size, created with plain API calls in the same instant.
 */
export async function measureBarePod(
  client: KubeClient,
  model: { namespace: string; name: string; claim: string },
  rounds: number,
): Promise<Figure> {
  const pod = await client.get<Pod>(PODS, { namespace: model.namespace, name: model.name });
  const claim = await client.get<KubeObject & { spec: Record<string, unknown> }>(PERSISTENT_VOLUME_CLAIMS, {
    namespace: model.namespace,
    name: model.claim,
  });
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await outOfStep();
    const name = `bare-${Date.now().toString(36)}-${round}`;
    const metadata = { name, namespace: model.namespace };
    const { volumeName: _, ...claimSpec } = claim.spec;
    const volumes = (pod.spec.volumes ?? []).map((volume) =>
      'persistentVolumeClaim' in volume ? { ...volume, persistentVolumeClaim: { claimName: name } } : volume,
    );
    const { nodeName: __, ...spec } = pod.spec;
    const started = performance.now();
    await Promise.all([
      client.create(PERSISTENT_VOLUME_CLAIMS, model.namespace, { metadata, spec: claimSpec } as KubeObject),
      client.create(PODS, model.namespace, { metadata, spec: { ...spec, volumes } } as KubeObject),
    ]);
    await untilRunning(client, model.namespace, name);
    values.push(performance.now() - started);
    await removed(client, PODS, { namespace: model.namespace, name });
    await removed(client, PERSISTENT_VOLUME_CLAIMS, { namespace: model.namespace, name });
  }
  return figure('bare pod of the same shape → Running', values, 'API server, pod and claim, watched');
}

async function untilRunning(client: KubeClient, namespace: string, name: string): Promise<void> {
  const query = { namespace, fieldSelector: `metadata.name=${name}`, timeoutSeconds: 120 };
  for await (const event of client.watch<Pod>(PODS, query)) {
    if ('object' in event && (event.object as Pod).status?.phase === 'Running') return;
  }
  throw new Error(`pod ${name} did not run within two minutes`);
}

async function removed(
  client: KubeClient,
  resource: Resource,
  key: { namespace: string; name: string },
): Promise<void> {
  await client.delete(resource, key, { gracePeriodSeconds: 1 });
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    const gone = await client.get(resource, key).then(
      () => false,
      (error: unknown) => isNotFound(error) || Promise.reject(error as Error),
    );
    if (gone) return;
    await pause(50);
  }
  throw new Error(`${resource.plural} ${key.name} was not removed within a minute`);
}
