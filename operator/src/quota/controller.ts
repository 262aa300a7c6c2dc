// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { demandOf, growth } from '@agenttier/crds/governance/quota/demand';
import { quotaLimits } from '@agenttier/crds/governance/quota/limits';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { runController } from '@agenttier/machinery/controller/controller';
import { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Store, StoreEvent } from '@agenttier/machinery/reflector/store';
import { systemClock } from '@agenttier/machinery/runtime/clock';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { BY_UID } from '../caches.ts';
import type { Caches } from '../caches.ts';
import { SandboxCounts } from './counts.ts';
import { keepLedger, policyOf } from './keeper.ts';
import { projectQuota } from './resourceQuota.ts';

export interface QuotaOptions {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'update' | 'apply' | 'delete'>;
  readonly caches: Caches;
  readonly log: Logger;
}

/** Short at its longest: a count mostly fails because admissions write at the same time, and they wait for its room. */
const BACKOFF = { minBackoffMs: 50, maxBackoffMs: 1_000, jitter: 0.5 };
/** Room that came free is waited for. */
const RELEASE_MS = 20;
/** Turning reservations into usage changes no sum, so a burst of new sandboxes is taken in together. */
const SETTLE_MS = 500;
/** Key of the cluster's ledger; that of a namespace is its name, which is never empty. */
const CLUSTER = '';
const WORKERS = 4;
const POLL_MS = 50;

/** Keeps every policy's ledger and the ResourceQuotas in step with what exists, until the signal aborts. */
export async function keepQuotas(options: QuotaOptions, signal: AbortSignal): Promise<void> {
  const { client, caches, log } = options;
  const counts = new SandboxCounts(caches.sandboxes);
  const stopCounting = counts.follow();
  const queue = new WorkQueue(BACKOFF);
  let stopFeeding: (() => void) | undefined;
  try {
    if (!(await caughtUp(options, signal))) return;
    stopFeeding = feed(caches, queue);
    const reconcile = async (key: string): Promise<{ requeueAfterMs: number | undefined }> => {
      const namespace = key === CLUSTER ? undefined : key;
      const requeueAfterMs = await keepLedger({ client, caches, counts }, namespace, signal);
      if (namespace !== undefined) {
        const limit = quotaLimits(policyOf(caches, namespace)?.spec).sandboxes;
        await projectQuota({ client, caches }, { namespace, limit }, signal);
      }
      return { requeueAfterMs };
    };
    await runController({ name: 'quota', queue, workers: WORKERS, reconcile, log, signal });
  } finally {
    stopFeeding?.();
    stopCounting();
  }
}

/**
 * A former leader may have turned reservations into usage for sandboxes that this replica's watch has not brought yet;
 * counting without them would make room that there is not. So the first count waits until the cache holds everything
 * that exists now. False when the signal aborts before.
 */
async function caughtUp({ client, caches, log }: QuotaOptions, signal: AbortSignal): Promise<boolean> {
  let left: Sandbox[] | undefined;
  while (!signal.aborted) {
    try {
      left ??= (await client.list<Sandbox>(SANDBOXES, {}, { signal })).items;
      left = await unknown(left, { client, caches }, signal);
      if (left.length === 0) return true;
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'sandboxes cannot be listed to count them; trying again');
    }
    await systemClock.sleep(POLL_MS, signal).catch(() => undefined);
  }
  return false;
}

/**
 * Those that are neither in the cache, in that state or a later one, nor gone meanwhile. In an earlier state a sandbox may
 * take less than what the former leader counted for it.
 */
async function unknown(
  sandboxes: readonly Sandbox[],
  { client, caches }: Pick<QuotaOptions, 'client' | 'caches'>,
  signal: AbortSignal,
): Promise<Sandbox[]> {
  const missing = sandboxes.filter(({ metadata }) => {
    const [known] = caches.sandboxes.byIndex(BY_UID, metadata.uid ?? '');
    return known === undefined || (known.metadata.generation ?? 0) < (metadata.generation ?? 0);
  });
  const looked = missing.map(async (sandbox) => {
    const { namespace, name = '', uid } = sandbox.metadata;
    const found = await client
      .get<Sandbox>(SANDBOXES, { namespace, name }, { signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
        return undefined;
      });
    return found?.metadata.uid === uid ? sandbox : undefined;
  });
  return (await Promise.all(looked)).filter((sandbox) => sandbox !== undefined);
}

/** Adds a scope's key for every change that its ledger may follow from; everything known is added at once. */
function feed(caches: Caches, queue: WorkQueue): () => void {
  const stops = [
    caches.sandboxes.subscribe((event) => {
      const delay = delayAfter(event);
      if (delay === undefined) return;
      queue.addAfter(CLUSTER, delay);
      queue.addAfter(event.object.metadata.namespace ?? CLUSTER, delay);
    }),
    ...([caches.policies, caches.clusterPolicies] as unknown as Store<KubeObject>[]).map((store) =>
      store.subscribe(({ object, old }) => {
        const edited = old?.metadata.generation !== object.metadata.generation;
        queue.addAfter(object.metadata.namespace ?? CLUSTER, edited ? 0 : SETTLE_MS);
      }),
    ),
    caches.resourceQuotas.subscribe(({ object }) => queue.add(object.metadata.namespace ?? CLUSTER)),
  ];
  queue.add(CLUSTER);
  for (const store of [caches.policies, caches.resourceQuotas] as unknown as Store<KubeObject>[]) {
    for (const { metadata } of store.list()) queue.add(metadata.namespace ?? CLUSTER);
  }
  return () => {
    for (const stop of stops) stop();
  };
}

/** Undefined for changes that no sum follows from, which most changes of status are. */
function delayAfter({ type, object, old }: StoreEvent<Sandbox>): number | undefined {
  if (type === 'deleted') return RELEASE_MS;
  if (!old || old.metadata.uid !== object.metadata.uid) return SETTLE_MS;
  if (old.metadata.generation === object.metadata.generation) return undefined;
  return growth(demandOf(old), demandOf(object)) ? RELEASE_MS : SETTLE_MS;
}
