// SPDX-License-Identifier: Apache-2.0
import { FakeClock } from '@agenttier/machinery/testing/fakeClock';
import { describe, expect, it } from 'vitest';
import type { Delivery } from './delivery.ts';
import { Lane } from './lane.ts';
import type { Attempt } from './lane.ts';

const START = Date.parse('2026-11-24T08:00:00Z');

function setUp() {
  const clock = new FakeClock(START);
  const sent: string[] = [];
  const settled: string[] = [];
  const tried: number[] = [];
  const open: (() => void)[] = [];
  const state = { answer: { success: true } as Attempt, hold: false, most: 0 };
  let running = 0;
  const lane = new Lane({
    clock,
    random: () => 0.5,
    async send(delivery) {
      sent.push(delivery.id);
      state.most = Math.max(state.most, ++running);
      if (state.hold) await new Promise<void>((resolve) => open.push(resolve));
      running--;
      return state.answer;
    },
    tried: (_delivery, attempt) => tried.push(attempt),
    settled: (delivery, how) => settled.push(`${delivery.id} ${how}`),
  });
  return { lane, clock, sent, settled, tried, open, state };
}

const event = (id: string, sandbox = id): Delivery => ({
  id,
  event: 'sandbox.running',
  time: new Date(START).toISOString(),
  sandbox: { namespace: 'team', name: sandbox, uid: sandbox },
});

describe('the events of one subscription', () => {
  it('are tried again after 1, 2, 4 … 300 seconds until a day has passed', async () => {
    const { lane, clock, sent, settled, tried, state } = setUp();
    state.answer = { success: false, statusCode: 500 };
    lane.add(event('a'));
    await clock.advance(0);
    expect(sent.length).toBe(1);
    for (const [ms, count] of [
      [999, 1],
      [1, 2],
      [1_999, 2],
      [1, 3],
      [4_000, 4],
      [8_000, 5],
    ] as const) {
      await clock.advance(ms);
      expect(sent.length).toBe(count);
    }
    await clock.advance(24 * 3_600_000);
    expect(settled).toEqual(['a expired']);
    expect(lane.size).toBe(0);
    expect(tried.at(-1)).toBe(sent.length);
    expect(sent.length).toBeGreaterThan(290);
    expect(sent.length).toBeLessThan(300);
  });

  it('are at most eight under way, and one for each sandbox, in their order', async () => {
    const { lane, clock, sent, open, state } = setUp();
    state.hold = true;
    lane.add(event('a1', 'a'));
    lane.add(event('a2', 'a'));
    for (let i = 0; i < 20; i++) lane.add(event(`b${i}`));
    await clock.advance(0);
    expect(sent.length).toBe(8);
    expect(sent).not.toContain('a2');
    while (open.length > 0) {
      open.shift()?.();
      await clock.advance(0);
    }
    expect(state.most).toBe(8);
    expect(sent.length).toBe(22);
    expect(sent.indexOf('a1')).toBeLessThan(sent.indexOf('a2'));
  });

  it('that wait for another try let later ones pass', async () => {
    const { lane, clock, sent, settled, state } = setUp();
    state.answer = { success: false };
    lane.add(event('a1', 'a'));
    await clock.advance(0);
    state.answer = { success: true };
    lane.add(event('a2', 'a'));
    await clock.advance(0);
    expect(sent).toEqual(['a1', 'a2']);
    await clock.advance(1_000);
    expect(settled).toEqual(['a2 delivered', 'a1 delivered']);
  });

  it('are no more than 1 000: the oldest makes room', async () => {
    const { lane, clock, settled, state } = setUp();
    state.answer = { success: false };
    for (let i = 0; i < 1_001; i++) lane.add(event(`e${i}`));
    expect(lane.size).toBe(1_000);
    expect(settled).toEqual(['e8 crowded']);
    lane.stop();
    await clock.advance(0);
  });

  it('are sent once, also when added again after delivery', async () => {
    const { lane, clock, sent } = setUp();
    lane.add(event('a'));
    lane.add(event('a'));
    await clock.advance(0);
    lane.add(event('a'));
    await clock.advance(0);
    expect(sent).toEqual(['a']);
  });

  it('end with it', async () => {
    const { lane, clock, sent, open, tried, settled, state } = setUp();
    state.hold = true;
    lane.add(event('a'));
    await clock.advance(0);
    lane.stop();
    open.shift()?.();
    lane.add(event('b'));
    await clock.advance(3_600_000);
    expect([sent, tried, settled]).toEqual([['a'], [], []]);
  });
});
