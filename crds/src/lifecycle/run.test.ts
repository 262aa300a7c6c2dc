// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../generated/types.ts';
import { ACTIVITY_INTERVAL_MS, activityIntervalMs, runOf, stopWarningOf } from './run.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-24T08:00:00.000Z');

function sandbox(reason?: string): Sandbox {
  const lastTransitionTime = '2026-11-24T08:00:00Z';
  const condition = {
    type: 'IdleWarning',
    status: 'True',
    reason: reason ?? '',
    message: 'soon',
    lastTransitionTime,
  } as const;
  return {
    metadata: {},
    spec: {
      resolved: { hash: '', compat: '', chain: [], origins: {}, spec: { timeout: '8h', idleTimeout: '1h' } },
    },
    status: {
      startedAt: new Date(START).toISOString(),
      lastActivityTimestamp: new Date(START + HOUR).toISOString(),
      conditions: reason === undefined ? [] : [condition],
    },
  };
}

describe('the run of a sandbox', () => {
  it('is read from status and effective limits, and zero is none', () => {
    expect(runOf(sandbox())).toEqual({
      startedAt: START,
      lastActivityAt: START + HOUR,
      timeoutMs: 8 * HOUR,
      idleTimeoutMs: HOUR,
    });
    expect(runOf({ metadata: {}, spec: { resolved: { spec: { timeout: '0' } } } } as Sandbox)).toEqual({});
  });

  it.each([
    [undefined, undefined],
    ['IdleTimeout', START + 2 * HOUR],
    ['MaxRuntime', START + 8 * HOUR],
  ])('warned of %s, stops then', (reason, at) => {
    expect(stopWarningOf(sandbox(reason))).toEqual(
      at === undefined ? undefined : { reason, at, message: 'soon' },
    );
  });
});

describe('use', () => {
  it.each([
    ['nothing known', undefined, [], ACTIVITY_INTERVAL_MS],
    ['no idle timeout', '0', [], ACTIVITY_INTERVAL_MS],
    ['a long idle timeout', '1h', [], ACTIVITY_INTERVAL_MS],
    ['a short one', '20s', [], 5_000],
    ['a very short one', '2s', [], 1_000],
    ['a stop that is near', '1h', ['IdleWarning'], 1_000],
  ])('with %s is written often enough', (_, idleTimeout, types, interval) => {
    const conditions = types.map((type) => ({
      type,
      status: 'True' as const,
      reason: 'IdleTimeout',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }));
    const spec = {
      resolved: { hash: '', compat: '', chain: [], origins: {}, spec: idleTimeout ? { idleTimeout } : {} },
    };
    const status = { startedAt: '2026-01-01T00:00:00Z', conditions };
    expect(activityIntervalMs({ metadata: {}, spec, status })).toBe(interval);
  });
});
