// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { MINUTE, T0 } from '../testing/fixtures.ts';
import { Demand, wantedSlots } from './demand.ts';
import { planPool } from './plan.ts';
import type { PoolState, SlotKind, SlotView } from './state.ts';

const NOTES = { inFlight: 0, retryAt: 0, claimed: 0, missed: 0 };

let count = 0;
function slot(kind: SlotKind, more: Partial<SlotView> = {}): SlotView {
  const name = `slot-${++count}`;
  const pod = { metadata: { name, uid: name }, spec: { containers: [] } };
  return { pod, kind, stale: false, aged: false, bornAt: T0 + count, ...more };
}

const slots = (kind: SlotKind, amount: number, more: Partial<SlotView> = {}): SlotView[] =>
  Array.from({ length: amount }, () => slot(kind, more));

function state(views: SlotView[], more: Partial<PoolState> = {}): PoolState {
  const pool: SandboxWarmPool = {
    metadata: { name: 'p', namespace: 'team' },
    spec: { templateRef: { name: 't' } },
  };
  const fit = { compat: 'c', shape: 's' };
  const offer = { ok: true, spec: {}, template: 't', fit } as const;
  return { pool, offer, slots: views, leftovers: [], wanted: 4, room: 16, notes: NOTES, ...more };
}

const numbers = (one: PoolState) => {
  const { build, drain } = planPool(one, T0);
  return { build, drain: drain.length };
};

describe('planPool', () => {
  it.each<[string, PoolState, { build: number; drain: number }]>([
    ['fills an empty pool at once, as far as it may', state([], { wanted: 9 }), { build: 4, drain: 0 }],
    ['has nothing to do when full', state(slots('free', 4)), { build: 0, drain: 0 }],
    [
      'counts what is being built',
      state([...slots('free', 1), ...slots('building', 2)]),
      { build: 1, drain: 0 },
    ],
    ['counts what has no pod yet', state([], { notes: { ...NOTES, inFlight: 3 } }), { build: 1, drain: 0 }],
    ['leaves room for others', state([], { room: 1 }), { build: 1, drain: 0 }],
    ['shrinks', state(slots('free', 6)), { build: 0, drain: 2 }],
    ['replaces what nobody can use', state(slots('free', 4, { stale: true })), { build: 4, drain: 4 }],
    [
      'keeps old ones until there are others',
      state(slots('free', 4, { aged: true })),
      { build: 4, drain: 0 },
    ],
    [
      'lets old ones go when there are others',
      state([...slots('free', 4), ...slots('free', 4, { aged: true })]),
      { build: 0, drain: 4 },
    ],
    ['finishes a drain', state([...slots('free', 4), slot('draining')]), { build: 0, drain: 1 }],
    [
      'holds the place of a failed one while it waits',
      state([...slots('free', 3), slot('failed')], { notes: { ...NOTES, retryAt: T0 + 1 } }),
      { build: 0, drain: 0 },
    ],
    ['replaces it then', state([...slots('free', 3), slot('failed')]), { build: 1, drain: 1 }],
    ['empties a pool that is gone', state(slots('free', 2), { pool: undefined }), { build: 0, drain: 2 }],
    [
      'empties one whose template or policy says no',
      state(slots('free', 2), { offer: { ok: false, reason: 'PolicyDenied', message: '' } }),
      { build: 0, drain: 2 },
    ],
    [
      'keeps everything while nobody can tell',
      state(slots('free', 2), {
        offer: { ok: false, reason: 'PolicyUnreadable', message: '', undecided: true },
      }),
      { build: 0, drain: 0 },
    ],
  ])('%s', (_what, one, expected) => {
    expect(numbers(one)).toEqual(expected);
  });

  it('shrinks by what is not ready, then by the youngest', () => {
    const free = slots('free', 4);
    const building = slots('building', 1);
    const { drain } = planPool(state([...free, ...building], { wanted: 3 }), T0);
    expect(drain).toEqual([building[0]?.pod, free[3]?.pod]);
  });

  it('comes back when a failure has been waited out', () => {
    expect(planPool(state([], { notes: { ...NOTES, retryAt: T0 + 700 } }), T0)).toMatchObject({
      build: 0,
      requeueAfterMs: 700,
    });
  });

  it('says how the pool stands', () => {
    const views = [...slots('free', 2), slot('building'), slot('failed', { problem: 'ErrImagePull: no' })];
    expect(planPool(state(views, { notes: { ...NOTES, claimed: 3, missed: 1 } }), T0).status).toMatchObject({
      free: 2,
      building: 1,
      failed: 1,
      claimedTotal: 3,
      missTotal: 1,
      compat: 'c',
      selector: 'agenttier.io/slot=p,agenttier.io/slot-state=open',
      conditions: [{ type: 'Ready', status: 'False', reason: 'SlotFailed', message: 'ErrImagePull: no' }],
    });
  });
});

describe('the demand', () => {
  const spec = { templateRef: { name: 't' } };

  it('is what is written where nothing scales it', () => {
    expect(wantedSlots(spec, 50)).toBe(1);
    expect(wantedSlots({ ...spec, replicas: 7 }, 50)).toBe(7);
  });

  it('stays between the bounds', () => {
    const autoscale = { min: 2, max: 6 };
    expect([0, 4, 50].map((peak) => wantedSlots({ ...spec, autoscale }, peak))).toEqual([2, 4, 6]);
  });

  it('follows the busiest window, and forgets it', () => {
    const demand = new Demand();
    demand.setWindow(MINUTE);
    const start = Math.ceil(T0 / MINUTE) * MINUTE;
    expect(demand.peak(start)).toBe(0);
    for (let i = 0; i < 8; i++) demand.add(start + i);
    expect(demand.peak(start + 10)).toBe(8);
    expect(demand.peak(start + 10 * MINUTE)).toBe(8);
    expect(demand.peak(start + 40 * MINUTE)).toBe(0);
  });
});
