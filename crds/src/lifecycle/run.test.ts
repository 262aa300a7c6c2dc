// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../generated/types.ts';
import { runOf, stopWarningOf } from './run.ts';

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
