// SPDX-License-Identifier: Apache-2.0
import {
  ANNOTATION_SLOT_SHAPE,
  ANNOTATION_TOKEN_NONCE,
  LABEL_COMPAT,
  LABEL_SANDBOX_UID,
  LABEL_SLOT,
  LABEL_SLOT_STATE,
  SLOT_STATES,
} from '@agenttier/crds/meta/labels';
import type { Pod } from '../core.ts';
import { conditionOf } from '../sandbox/failure.ts';
import { READINESS_LOSS_MS } from '../sandbox/pod.ts';
import { compatLabel } from './slot.ts';
import type { Fit } from './slot.ts';

/** A slot that may be taken. */
export interface FreeSlot {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Key of its pool. */
  readonly pool: string;
}

export type ClaimResult = 'hit' | 'miss' | 'conflict';

/** Where slots of a kind are looked for: the namespace and what they were built from. */
export const fitKey = (namespace: string, fit: Fit): string =>
  `${namespace}/${compatLabel(fit)}/${fit.shape}`;

const fitKeyOf = ({ metadata }: Pod): string => {
  const { namespace, labels = {}, annotations = {} } = metadata;
  return `${namespace}/${labels[LABEL_COMPAT]}/${annotations[ANNOTATION_SLOT_SHAPE]}`;
};

/** Nobody has it and nobody is about to delete it. */
export function isOpen({ metadata }: Pod): boolean {
  const { labels = {}, deletionTimestamp } = metadata;
  return (
    labels[LABEL_SLOT_STATE] === SLOT_STATES.open &&
    labels[LABEL_SANDBOX_UID] === undefined &&
    deletionTimestamp === undefined
  );
}

/**
 * The free slots, in memory of the leader: fed by the watch of pods, so that a claim asks nobody. It may be wrong in one
 * direction only: a slot that is handed out here may be taken or gone by now, and the write that claims it says so.
 */
export class Slots {
  readonly #free = new Map<string, Map<string, FreeSlot>>();
  readonly #where = new Map<string, string>();
  /** Handed out, and not yet seen as anything but open. */
  readonly #taken = new Set<string>();
  readonly #answered = new Map<string, number>();
  readonly #now: () => number;
  readonly #pools = new Map<string, Set<string>>();
  /** Told of every claim that was tried. */
  onClaim: (pool: string, result: ClaimResult) => void = () => undefined;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether there is any pool. */
  get isUsed(): boolean {
    return this.#pools.size > 0;
  }

  /** Whether some pool keeps slots of this kind, be there one or not. */
  isKept(key: string): boolean {
    return (this.#pools.get(key)?.size ?? 0) > 0;
  }

  /** The pool `pool` keeps slots of the kind `key` from now on; of none without one. */
  keep(pool: string, key: string | undefined): void {
    for (const [other, pools] of this.#pools) {
      if (other !== key && pools.delete(pool) && pools.size === 0) this.#pools.delete(other);
    }
    if (key === undefined) return;
    const pools = this.#pools.get(key) ?? new Set();
    this.#pools.set(key, pools.add(pool));
  }

  /** The slot that has been free for longest, for the caller alone; undefined when there is none. */
  take(key: string): FreeSlot | undefined {
    const [slot] = this.#free.get(key)?.values() ?? [];
    if (slot === undefined) return undefined;
    this.#drop(slot.uid);
    this.#taken.add(slot.uid);
    return slot;
  }

  /** A start found no slot. */
  missed(key: string): void {
    const [pool] = this.#pools.get(key) ?? [];
    if (pool !== undefined) this.onClaim(pool, 'miss');
  }

  claimed({ pool }: FreeSlot, result: 'hit' | 'conflict'): void {
    this.onClaim(pool, result);
  }

  /** The runtime of a pod answers; the kubelet says so only a second later. */
  answered(uid: string): void {
    this.#answered.set(uid, this.#now());
  }

  /** An answer counts until the kubelet must have looked itself; from then on only its word does, also of a lost node. */
  isReady(pod: Pod): boolean {
    const answeredAt = this.#answered.get(pod.metadata.uid ?? '') ?? Number.NEGATIVE_INFINITY;
    return conditionOf(pod, 'Ready')?.status === 'True' || this.#now() - answeredAt < READINESS_LOSS_MS;
  }

  /** Brings the list in line with one pod. */
  observe(pod: Pod): void {
    const { uid = '' } = pod.metadata;
    if (!isOpen(pod)) return this.forget(uid);
    if (!this.isReady(pod) || !isReachable(pod)) return this.#drop(uid);
    if (this.#taken.has(uid) || this.#where.has(uid)) return;
    const key = fitKeyOf(pod);
    const list = this.#free.get(key) ?? new Map<string, FreeSlot>();
    this.#free.set(key, list.set(uid, freeSlotOf(pod)));
    this.#where.set(uid, key);
  }

  /** The pod is gone, or somebody's. */
  forget(uid: string): void {
    this.#drop(uid);
    this.#taken.delete(uid);
    this.#answered.delete(uid);
  }

  #drop(uid: string): void {
    const key = this.#where.get(uid);
    if (key === undefined) return;
    this.#where.delete(uid);
    const list = this.#free.get(key);
    list?.delete(uid);
    if (list?.size === 0) this.#free.delete(key);
  }
}

function freeSlotOf({ metadata }: Pod): FreeSlot {
  const { namespace = '', name = '', uid = '', labels = {} } = metadata;
  return { namespace, name, uid, pool: `${namespace}/${labels[LABEL_SLOT]}` };
}

/** The kubelet may still call a pod Pending whose runtime has answered. */
function isReachable({ metadata, status }: Pod): boolean {
  const ended = status?.phase === 'Failed' || status?.phase === 'Succeeded';
  return !ended && Boolean(status?.podIP && metadata.annotations?.[ANNOTATION_TOKEN_NONCE]);
}
