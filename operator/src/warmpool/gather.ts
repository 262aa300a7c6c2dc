// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { evaluate } from '@agenttier/crds/governance/evaluate';
import { parseDuration } from '@agenttier/crds/meta/duration';
import {
  ANNOTATION_SLOT_SHAPE,
  LABEL_COMPAT,
  LABEL_SANDBOX_UID,
  LABEL_SLOT_STATE,
  SLOT_STATES,
} from '@agenttier/crds/meta/labels';
import { pvcName } from '@agenttier/crds/meta/names';
import { composeChain } from '@agenttier/crds/template/compose';
import { resolve } from '@agenttier/crds/template/merge';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { BY_SLOT } from '../caches.ts';
import type { Caches } from '../caches.ts';
import type { Pod } from '../core.ts';
import { policyIn } from '../policy/compliance.ts';
import { diagnose } from '../sandbox/failure.ts';
import { lookupIn } from '../sandbox/gather.ts';
import { slotOf } from '../sandbox/objects.ts';
import type { Settings } from '../settings.ts';
import { wantedSlots, windowOf } from './demand.ts';
import type { PoolMemory } from './memory.ts';
import { compatLabel, fitOf } from './slot.ts';
import type { Fit } from './slot.ts';
import type { Slots } from './slots.ts';
import type { Offer, PoolState, SlotView } from './state.ts';

export interface PoolInput {
  readonly caches: Caches;
  readonly settings: Settings;
  readonly slots: Slots;
  readonly memory: PoolMemory;
  readonly room: number;
  readonly now: number;
}

const MAX_AGE_MS = 12 * 3_600_000;

/** The state of one pool, out of the caches. */
export function gatherPool(namespace: string, name: string, input: PoolInput): PoolState {
  const { caches, memory, room, now } = input;
  const pool = caches.pools.get(namespace, name);
  const offer = pool === undefined ? GONE : offerOf(pool, input);
  const pods = caches.pods.byIndex(BY_SLOT, `${namespace}/${name}`);
  const slots = pods.flatMap((pod) => viewOf(pod, pool, offer, input) ?? []);
  for (const { kind, pod } of slots) {
    if (kind === 'failed') memory.failed(pod.metadata.uid ?? '', now);
  }
  if (pool !== undefined) memory.demand.setWindow(windowOf(pool.spec));
  return {
    pool,
    offer,
    slots,
    leftovers: leftoversOf(namespace, name, input),
    wanted: pool === undefined ? 0 : wantedSlots(pool.spec, memory.demand.peak(now)),
    room,
    notes: memory.notes(),
  };
}

const GONE: Offer = { ok: false, reason: 'Deleted', message: 'the pool is deleted' };

/** What a sandbox would be that names the pool's template and says nothing else, judged by today's policy. */
function offerOf(pool: SandboxWarmPool, { caches, settings }: PoolInput): Offer {
  const { namespace = '', deletionTimestamp } = pool.metadata;
  if (deletionTimestamp !== undefined) return GONE;
  const { templateRef, volume } = pool.spec;
  const chain = composeChain(templateRef, namespace, lookupIn(caches));
  if (!chain.ok) return { ok: false, reason: 'TemplateNotUsable', message: chain.violation.message };
  const policy = policyIn(caches, namespace);
  if (policy === undefined) return { ok: false, reason: 'PolicyUnreadable', message: 'a policy cannot be read' };
  const { size, storageClass } = volume ?? {};
  const storage = { ...(size === undefined ? {} : { size }), ...(storageClass ? { storageClass } : {}) };
  const spec = { templateRef, ...(Object.keys(storage).length > 0 ? { storage } : {}) };
  const { resolved } = resolve(spec, chain.chain, { ...settings.resolve, effectivePolicy: policy });
  if (resolved.spec === undefined) return GONE;
  const [first] = evaluate({ namespace, spec, resolved, policy }).violations;
  if (first !== undefined) return { ok: false, reason: 'PolicyDenied', message: `${first.message} [${first.code}]` };
  const fit = fitOf(resolved.spec, settings);
  return { ok: true, spec: resolved.spec, template: chain.chain.at(-1)?.metadata.name, fit };
}

/** Claimed slots are their sandbox's; those on their way out are nobody's any more. */
function viewOf(
  pod: Pod,
  pool: SandboxWarmPool | undefined,
  offer: Offer,
  { slots, settings, now }: PoolInput,
): SlotView | undefined {
  const { labels = {}, deletionTimestamp, creationTimestamp } = pod.metadata;
  const claimed = labels[LABEL_SANDBOX_UID] !== undefined || labels[LABEL_SLOT_STATE] === SLOT_STATES.claimed;
  if (claimed || deletionTimestamp !== undefined) return undefined;
  const bornAt = Date.parse(creationTimestamp ?? '') || now;
  const maxAge = parseDuration(pool?.spec.maxAge ?? '') ?? MAX_AGE_MS;
  const stale = !offer.ok || !isFit(pod, offer.fit);
  const aged = maxAge > 0 && now - bornAt >= maxAge;
  if (labels[LABEL_SLOT_STATE] === SLOT_STATES.draining) return { pod, kind: 'draining', stale, aged, bornAt };
  const problem = problemOf(pod, now - bornAt, settings.startDeadlineMs, slots.isReady(pod));
  if (problem !== undefined) return { pod, kind: 'failed', stale, aged, bornAt, problem };
  return { pod, kind: slots.isReady(pod) ? 'free' : 'building', stale, aged, bornAt };
}

const isFit = ({ metadata: { labels = {}, annotations = {} } }: Pod, fit: Fit): boolean =>
  labels[LABEL_COMPAT] === compatLabel(fit) && annotations[ANNOTATION_SLOT_SHAPE] === fit.shape;

const FAILING: ReadonlySet<string> = new Set(['ErrImagePull', 'ImagePullBackOff', 'CrashLoopBackOff']);

function problemOf(pod: Pod, ageMs: number, deadlineMs: number, ready: boolean): string | undefined {
  const diagnosis = diagnose(pod);
  switch (diagnosis.kind) {
    case 'running':
      return !ready && deadlineMs > 0 && ageMs >= deadlineMs ? 'its runtime does not answer' : undefined;
    case 'starting': {
      const late = deadlineMs > 0 && ageMs >= deadlineMs && !ready;
      return late || FAILING.has(diagnosis.reason) ? `${diagnosis.reason}: ${diagnosis.message}` : undefined;
    }
    case 'stuck':
      return ageMs >= diagnosis.patienceMs ? `${diagnosis.reason}: ${diagnosis.message}` : undefined;
    default:
      return diagnosis.message;
  }
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
  metadata.labels?.[LABEL_SANDBOX_UID] !== undefined || (metadata.ownerReferences ?? []).length > 0;
