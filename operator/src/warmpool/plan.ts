// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPoolStatus } from '@agenttier/crds/generated/types';
import type { Pod } from '../core.ts';
import type { PoolState, SlotView } from './state.ts';
import { poolStatus } from './status.ts';

/** What to do next about one pool. */
export interface PoolPlan {
  /** Slots to take out of use, and then to delete. */
  readonly drain: readonly Pod[];
  /** Slots to begin. */
  readonly build: number;
  /** Slots of which everything but the pod is left: to be deleted. */
  readonly sweep: readonly string[];
  /** Absent when the pool is gone. */
  readonly status?: SandboxWarmPoolStatus;
  /** Milliseconds until something is due by the clock alone. */
  readonly requeueAfterMs?: number;
}

const CONCURRENCY = 4;

/**
 * What to do next about one pool: pure. Only slots that are of use count as stock: free ones and those being built, of
 * today's template, young enough. A failed slot holds its place until it may be tried again, so that a pool whose
 * image is broken costs a few pods and not a stream of them.
 */
export function planPool(state: PoolState, now: number): PoolPlan {
  const { slots, offer, notes, leftovers } = state;
  // For as long as nobody can tell what is allowed, nothing is built and nothing is lost.
  if (!offer.ok && offer.undecided)
    return { drain: [], build: 0, sweep: [], status: poolStatus(state, 0, now) };
  const wanted = offer.ok && state.pool !== undefined ? state.wanted : 0;
  const of = (kind: SlotView['kind']): SlotView[] =>
    slots.filter((slot) => slot.kind === kind && !slot.stale && !slot.aged);
  const [free, building, failed] = [of('free'), of('building'), of('failed')];
  const waiting = notes.retryAt > now;
  const given = waiting ? [] : failed;
  const held = failed.length - given.length;
  const stock = free.length + building.length + notes.inFlight;
  const drain = [
    ...slots.filter(({ kind, stale }) => kind === 'draining' || stale),
    ...given,
    ...excess(free, building, stock + held - wanted),
    ...replaced(state, free.length, wanted),
  ];
  const build = waiting ? 0 : buildable(state, wanted - stock - held, building.length);
  const due = nextDue(state, now);
  return {
    drain: [...new Set(drain.map(({ pod }) => pod))],
    build,
    sweep: leftovers,
    ...(state.pool === undefined ? {} : { status: poolStatus(state, wanted, now) }),
    ...(due === undefined ? {} : { requeueAfterMs: due }),
  };
}

const young = (a: SlotView, b: SlotView): number => b.bornAt - a.bornAt;

/** Too many: what is not ready goes first, then the youngest, which have cost the least waiting. */
function excess(free: readonly SlotView[], building: readonly SlotView[], surplus: number): SlotView[] {
  if (surplus <= 0) return [];
  return [...building.toSorted(young), ...free.toSorted(young)].slice(0, surplus);
}

/** Old slots serve until their successors are ready. */
function replaced({ slots }: PoolState, free: number, wanted: number): SlotView[] {
  const old = slots.filter(({ aged, stale, kind }) => aged && !stale && kind !== 'draining');
  const needed = Math.max(0, wanted - free);
  const gone = old.filter(({ kind }) => kind !== 'free');
  const usable = old.filter(({ kind }) => kind === 'free').toSorted(young);
  return [...gone, ...usable.slice(needed)];
}

function buildable({ pool, notes, room }: PoolState, missing: number, building: number): number {
  const limit = (pool?.spec.refill?.concurrency ?? CONCURRENCY) - building - notes.inFlight;
  return Math.max(0, Math.min(missing, limit, room));
}

function nextDue({ notes, slots }: PoolState, now: number): number | undefined {
  const retry = notes.retryAt > now ? notes.retryAt - now : undefined;
  // A slot that is being built is looked at for its deadline, should no event come.
  const watch = slots.some(({ kind }) => kind === 'building') ? 30_000 : undefined;
  const dues = [retry, watch].filter((due) => due !== undefined);
  return dues.length === 0 ? undefined : Math.min(...dues);
}
