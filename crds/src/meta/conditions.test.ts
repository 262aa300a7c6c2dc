// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { findCondition, isTrue, setCondition } from './conditions.ts';

const NOW = new Date('2026-11-24T12:00:00.123Z');
const LATER = new Date('2026-11-24T12:05:00Z');
const ready = { type: 'Ready', status: 'False', reason: 'Pulling', message: 'pulling' } as const;

describe('setCondition', () => {
  it('adds a condition with whole seconds', () => {
    expect(setCondition([], ready, NOW)).toEqual([{ ...ready, lastTransitionTime: '2026-11-24T12:00:00Z' }]);
  });

  it('moves the time only when the status changes', () => {
    const first = setCondition([], ready, NOW);
    const reworded = setCondition(first, { ...ready, reason: 'Unschedulable' }, LATER);
    expect(findCondition(reworded, 'Ready')).toMatchObject({
      reason: 'Unschedulable',
      lastTransitionTime: '2026-11-24T12:00:00Z',
    });
    const turned = setCondition(reworded, { ...ready, status: 'True' }, LATER);
    expect(findCondition(turned, 'Ready')?.lastTransitionTime).toBe('2026-11-24T12:05:00Z');
    expect(isTrue(turned, 'Ready')).toBe(true);
    expect(turned).toHaveLength(1);
  });

  it('returns the same list when nothing changes', () => {
    const first = setCondition([], ready, NOW);
    expect(setCondition(first, { ...ready }, LATER)).toBe(first);
    expect(setCondition(first, { ...ready, observedGeneration: 2 }, LATER)).not.toBe(first);
  });
});
