// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { FlowGate, HIGH_WATER, LOW_WATER, nextFlow } from './flow.ts';
import type { FlowState, FlowStep } from './flow.ts';

describe('nextFlow', () => {
  const rows: [state: FlowState, buffered: number, step: FlowStep][] = [
    ['flowing', 0, 'none'],
    ['flowing', HIGH_WATER, 'none'],
    ['flowing', HIGH_WATER + 1, 'pause'],
    ['paused', HIGH_WATER + 1, 'none'],
    ['paused', LOW_WATER, 'none'],
    ['paused', LOW_WATER - 1, 'resume'],
    ['paused', 0, 'resume'],
  ];
  it.each(rows)('%s with %d bytes waiting: %s', (state, buffered, step) => {
    expect(nextFlow(state, buffered)).toBe(step);
  });
});

describe('FlowGate', () => {
  it('switches once per crossing, not once per message', () => {
    const calls: string[] = [];
    let buffered = 0;
    const gate = new FlowGate(
      { pause: () => calls.push('pause'), resume: () => calls.push('resume') },
      () => buffered,
    );
    for (const level of [
      1,
      HIGH_WATER + 1,
      HIGH_WATER + 9,
      LOW_WATER + 5,
      LOW_WATER - 1,
      0,
      HIGH_WATER + 1,
    ]) {
      buffered = level;
      gate.check();
    }
    expect(calls).toEqual(['pause', 'resume', 'pause']);
    expect(gate.paused).toBe(true);
  });
});
