// SPDX-License-Identifier: Apache-2.0
import { LABEL_RETAINED_FROM, LABEL_SANDBOX_UID } from '@agenttier/crds/meta/labels';
import { pvcName } from '@agenttier/crds/meta/names';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { BY_SLOT } from '../caches.ts';
import type { Caches } from '../caches.ts';
import { slotOf } from '../sandbox/objects.ts';
import type { Settings } from '../settings.ts';
import { wantedSlots, windowOf } from './demand.ts';
import type { PoolMemory } from './memory.ts';
import { GONE } from './offer.ts';
import type { Slots } from './slots.ts';
import type { PoolState, SlotView } from './state.ts';
import { viewOf } from './view.ts';

export interface PoolInput {
  readonly caches: Caches;
  readonly settings: Settings;
  readonly slots: Slots;
  readonly memory: PoolMemory;
  readonly room: number;
  readonly now: number;
}

/** The state of one pool, out of the caches. */
export function gatherPool(namespace: string, name: string, input: PoolInput): PoolState {
  const { caches, memory, settings, room, now } = input;
  const pool = caches.pools.get(namespace, name);
  const offer = pool === undefined ? GONE : memory.offers.of(pool, input);
  const pods = caches.pods.byIndex(BY_SLOT, `${namespace}/${name}`);
  const common = { pool, offer, now, startDeadlineMs: settings.startDeadlineMs };
  const slots = pods.flatMap((pod) => viewOf(pod, { ...common, ready: input.slots.isReady(pod) }) ?? []);
  for (const { kind, pod } of slots) {
    if (kind === 'failed') memory.failed(pod.metadata.uid ?? '', now);
  }
  if (pool !== undefined) memory.demand.setWindow(windowOf(pool.spec));
  return {
    pool,
    offer,
    slots,
    leftovers: leftoversOf(namespace, name, input),
    wanted: pool === undefined ? 0 : wantedSlots(pool.spec, demandOf(memory, slots, now)),
    room,
    notes: memory.notes(),
  };
}

/** A leader that has just come up knows of no demand: what its predecessor kept stays for one window. */
function demandOf({ demand }: PoolMemory, slots: readonly SlotView[], now: number): number {
  const peak = demand.peak(now);
  const stock = slots.filter(({ kind, stale }) => !stale && (kind === 'free' || kind === 'building'));
  return demand.isSettled(now) ? peak : Math.max(peak, stock.length);
}

/**
 * Slots without a pod whose other objects are left. One of them counts only if none of its objects is a sandbox's and no
 * sandbox has its volume on record: a claim that was cut short must never cost a volume.
 */
function leftoversOf(namespace: string, pool: string, { caches, memory, now }: PoolInput): string[] {
  const key = `${namespace}/${pool}`;
  const stores = [caches.pvcs, caches.secrets, caches.networkPolicies];
  const parts = stores.flatMap((store): KubeObject[] => store.byIndex(BY_SLOT, key));
  const pods = new Set(caches.pods.byIndex(BY_SLOT, key).map(({ metadata }) => metadata.name));
  const names = new Set(parts.flatMap((part) => slotOf(part) ?? []));
  const orphans = [...names].filter((name) => !pods.has(name));
  if (orphans.length === 0) return [];
  const owned = new Set(parts.filter(isTaken).map((part) => slotOf(part)));
  const recorded = new Set(
    caches.sandboxes
      .list()
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ status }) => status?.pvcName),
  );
  return orphans.filter(
    (name) => !owned.has(name) && !recorded.has(pvcName(name)) && memory.isLeftover(name, now),
  );
}

const isTaken = ({ metadata }: KubeObject): boolean =>
  metadata.labels?.[LABEL_SANDBOX_UID] !== undefined ||
  metadata.labels?.[LABEL_RETAINED_FROM] !== undefined ||
  (metadata.ownerReferences ?? []).length > 0;
