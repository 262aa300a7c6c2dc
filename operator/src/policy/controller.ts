// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { EffectivePolicy, PolicyScope } from '@agenttier/crds/governance/effective';
import { violationsNow } from '@agenttier/crds/governance/violators';
import { FIELD_MANAGER_OPERATOR } from '@agenttier/crds/meta/labels';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
} from '@agenttier/crds/meta/resources';
import { runController } from '@agenttier/machinery/controller/controller';
import { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { StoreEvent } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { Caches } from '../caches.ts';
import { specMoved } from '../events.ts';
import { policyIn } from './compliance.ts';

export interface PolicyControllerOptions {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly caches: Caches;
  readonly log: Logger;
}

/** Key of the cluster's policy; a namespace's is the name of the namespace, which cannot be empty. */
const CLUSTER = '';
/** Sandboxes that come and go move the count this much later, all at once. */
const SANDBOXES_MS = 10_000;
/** Sandboxes judged before other work gets its turn. */
const SLICE = 200;

/** Keeps `status.wouldViolate` of all policies until the signal aborts. */
export async function watchPolicies(options: PolicyControllerOptions, signal: AbortSignal): Promise<void> {
  const { caches, log } = options;
  const queue = new WorkQueue({ minBackoffMs: 100, maxBackoffMs: 60_000, jitter: 0.2 });
  const stop = feed(caches, queue);
  try {
    const reconcile = (key: string): Promise<void> => reconcilePolicy(options, key);
    await runController({ name: 'policy', queue, reconcile, log, signal });
  } finally {
    stop();
  }
}

/** Counts the existing sandboxes that one policy would refuse today, and writes the number where it is another. */
export async function reconcilePolicy(
  { client, caches }: PolicyControllerOptions,
  key: string,
): Promise<void> {
  const local = key !== CLUSTER;
  const policy = local
    ? caches.policies.get(key, POLICY_NAME)
    : caches.clusterPolicies.get(undefined, POLICY_NAME);
  if (policy === undefined) return;
  const wouldViolate = await countViolators(caches, local ? key : undefined);
  const { generation: observedGeneration = 0 } = policy.metadata;
  const { status } = policy;
  if (status?.wouldViolate === wouldViolate && status.observedGeneration === observedGeneration) return;
  const resource = local ? GOVERNANCE_POLICIES : CLUSTER_GOVERNANCE_POLICIES;
  const where = local ? { namespace: key, name: POLICY_NAME } : { name: POLICY_NAME };
  const patch = { type: 'merge', body: { status: { wouldViolate, observedGeneration } } } as const;
  const options = { subresource: 'status', fieldManager: FIELD_MANAGER_OPERATOR } as const;
  await client.patch(resource, where, patch, options).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

async function countViolators(caches: Caches, namespace: string | undefined): Promise<number> {
  const scope: PolicyScope = namespace === undefined ? 'cluster' : 'namespace';
  const policies = new Map<string, EffectivePolicy | undefined>();
  const inForce = (where: string): EffectivePolicy | undefined => {
    if (!policies.has(where)) policies.set(where, policyIn(caches, where));
    return policies.get(where);
  };
  let count = 0;
  for (const [i, sandbox] of caches.sandboxes.list().entries()) {
    if (i % SLICE === SLICE - 1) await setImmediate();
    const home = sandbox.metadata.namespace ?? '';
    if (namespace !== undefined && home !== namespace) continue;
    const violations = violationsNow(sandbox, inForce(home));
    if (violations.some((violation) => (violation.scope ?? scope) === scope)) count += 1;
  }
  return count;
}

function feed(caches: Caches, queue: WorkQueue): () => void {
  const policyChanged = (event: StoreEvent<KubeObject>): void => {
    if (!specMoved(event)) return;
    const { namespace } = event.object.metadata;
    queue.add(namespace ?? CLUSTER);
    // What a namespace is bound by, and by whom, follows from both.
    if (namespace !== undefined) return queue.add(CLUSTER);
    for (const { metadata } of caches.policies.list()) queue.add(metadata.namespace ?? CLUSTER);
  };
  const sandboxChanged = ({ type, object, old }: StoreEvent<Sandbox>): void => {
    if (type === 'modified' && old?.spec?.resolved?.hash === object.spec?.resolved?.hash) return;
    queue.addAfter(CLUSTER, SANDBOXES_MS);
    queue.addAfter(object.metadata.namespace ?? CLUSTER, SANDBOXES_MS);
  };
  const stops = [
    caches.policies.subscribe(policyChanged),
    caches.clusterPolicies.subscribe(policyChanged),
    caches.sandboxes.subscribe(sandboxChanged),
  ];
  queue.add(CLUSTER);
  for (const { metadata } of caches.policies.list()) queue.add(metadata.namespace ?? CLUSTER);
  return () => {
    for (const stop of stops) stop();
  };
}
