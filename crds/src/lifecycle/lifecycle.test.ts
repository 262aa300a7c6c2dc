// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Condition } from '../meta/conditions.ts';
import { expiry, type Expiry, type ExpiryInput } from './expiry.ts';
import { derivePhase, PERMANENT_REASONS, type PhaseInput } from './phase.ts';
import { decideRetry, hasRecovered, recoversInMs, RETRY_BUDGET, retryDelayMs } from './retry.ts';

const MINUTE = 60_000;
const T0 = Date.UTC(2026, 10, 24, 12);

function ready(status: Condition['status'], reason: string): Condition[] {
  return [{ type: 'Ready', status, reason, message: 'because', lastTransitionTime: '2026-11-24T12:00:00Z' }];
}

describe('derivePhase', () => {
  const base: PhaseInput = {
    deleting: false,
    desiredState: 'Running',
    conditions: [],
    podExists: false,
    started: false,
  };
  it.each<[string, Partial<PhaseInput>, string, string]>([
    ['nothing is known yet', {}, 'Creating', 'Pending'],
    [
      'the image is pulled',
      { conditions: ready('False', 'Pulling'), podExists: true },
      'Creating',
      'Pulling',
    ],
    [
      'it is ready',
      { conditions: ready('True', 'Ready'), podExists: true, started: true },
      'Running',
      'Ready',
    ],
    [
      'a probe misses',
      { conditions: ready('False', 'NotReady'), podExists: true, started: true },
      'Running',
      'NotReady',
    ],
    [
      'the pod is gone',
      { conditions: ready('False', 'RestartBackoff'), started: true },
      'Creating',
      'RestartBackoff',
    ],
    [
      'the image name is wrong',
      { conditions: ready('False', 'InvalidImageName'), podExists: true },
      'Error',
      'InvalidImageName',
    ],
    [
      'restarts are used up',
      { conditions: ready('False', 'RestartLimitExceeded') },
      'Error',
      'RestartLimitExceeded',
    ],
    [
      'it is to stop',
      { desiredState: 'Stopped', podExists: true, conditions: ready('True', 'Ready') },
      'Running',
      'Stopping',
    ],
    ['it has stopped', { desiredState: 'Stopped' }, 'Stopped', 'UserRequested'],
    ['it was idle', { stopReason: 'IdleTimeout' }, 'Stopped', 'IdleTimeout'],
    [
      'a stopped one had failed',
      { desiredState: 'Stopped', conditions: ready('False', 'InitFailed') },
      'Stopped',
      'UserRequested',
    ],
    [
      'it is deleted',
      { deleting: true, podExists: true, conditions: ready('True', 'Ready') },
      'Deleting',
      'Deleting',
    ],
  ])('%s', (_, input, phase, reason) => {
    expect(derivePhase({ ...base, ...input })).toMatchObject({ phase, reason });
  });

  it('knows every permanent reason as an error, with its message', () => {
    for (const reason of PERMANENT_REASONS) {
      expect(derivePhase({ ...base, conditions: ready('False', reason) })).toEqual({
        phase: 'Error',
        reason,
        message: 'because',
      });
    }
  });
});

describe('expiry', () => {
  const idle: ExpiryInput = { startedAt: T0, idleTimeoutMs: 30 * MINUTE };
  it.each<[string, ExpiryInput, number, Expiry]>([
    ['nothing expires before the start', { timeoutMs: 1, idleTimeoutMs: 1 }, T0, {}],
    ['nor without bounds', { startedAt: T0, timeoutMs: 0 }, T0 + 1e12, {}],
    ['the next look is at the deadline', idle, T0, { nextCheckMs: 30 * MINUTE }],
    ['the deadline itself counts', idle, T0 + 30 * MINUTE, { expired: 'IdleTimeout' }],
    [
      'activity moves the idle deadline',
      { ...idle, lastActivityAt: T0 + 20 * MINUTE },
      T0 + 30 * MINUTE,
      { nextCheckMs: 20 * MINUTE },
    ],
    [
      'activity before the start does not count',
      { ...idle, lastActivityAt: T0 - 60 * MINUTE },
      T0,
      { nextCheckMs: 30 * MINUTE },
    ],
    [
      'activity does not move the run time',
      { startedAt: T0, timeoutMs: MINUTE, lastActivityAt: T0 + 9 },
      T0 + MINUTE,
      { expired: 'MaxRuntime' },
    ],
    ['both have passed', { ...idle, timeoutMs: MINUTE }, T0 + 60 * MINUTE, { expired: 'MaxRuntime' }],
    ['the nearer deadline is next', { ...idle, timeoutMs: MINUTE }, T0, { nextCheckMs: MINUTE }],
    ['with a grace the warning is next', { ...idle, graceMs: 5 * MINUTE }, T0, { nextCheckMs: 25 * MINUTE }],
    [
      'within the grace there is a warning',
      { ...idle, graceMs: 5 * MINUTE },
      T0 + 26 * MINUTE,
      { warning: { reason: 'IdleTimeout', at: T0 + 30 * MINUTE }, nextCheckMs: 4 * MINUTE },
    ],
    [
      'activity within the grace takes the warning back',
      { ...idle, graceMs: 5 * MINUTE, lastActivityAt: T0 + 26 * MINUTE },
      T0 + 26 * MINUTE,
      { nextCheckMs: 25 * MINUTE },
    ],
    [
      'activity does not take the warning of the run time back',
      { startedAt: T0, timeoutMs: 30 * MINUTE, graceMs: 5 * MINUTE, lastActivityAt: T0 + 26 * MINUTE },
      T0 + 26 * MINUTE,
      { warning: { reason: 'MaxRuntime', at: T0 + 30 * MINUTE }, nextCheckMs: 4 * MINUTE },
    ],
    [
      'a grace longer than the bound begins at half of it',
      { startedAt: T0, idleTimeoutMs: MINUTE, graceMs: 5 * MINUTE },
      T0,
      { nextCheckMs: MINUTE / 2 },
    ],
    [
      'of two warnings the nearer stop is named',
      { ...idle, timeoutMs: 29 * MINUTE, graceMs: 5 * MINUTE },
      T0 + 26 * MINUTE,
      { warning: { reason: 'MaxRuntime', at: T0 + 29 * MINUTE }, nextCheckMs: 3 * MINUTE },
    ],
  ])('%s', (_, input, now, expected) => {
    expect(expiry(input, now)).toEqual(expected);
  });

  it('never says to look again at once, and has expired when it said to look', () => {
    const ms = fc.nat(1e9);
    fc.assert(
      fc.property(ms, ms, ms, ms, (timeoutMs, idleTimeoutMs, since, activity) => {
        const input = { startedAt: T0, timeoutMs, idleTimeoutMs, lastActivityAt: T0 + activity };
        const { nextCheckMs } = expiry(input, T0 + since);
        if (nextCheckMs === undefined) return;
        expect(nextCheckMs).toBeGreaterThan(0);
        expect(expiry(input, T0 + since + nextCheckMs).expired).toBeDefined();
      }),
    );
  });
});

describe('retries', () => {
  it('wait 10, 20, 40, 80 and 160 seconds, a fifth more or less', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: RETRY_BUDGET }), (uid, attempt) => {
        const seconds = retryDelayMs(attempt, uid) / 1000;
        const base = [10, 20, 40, 80, 160][attempt - 1] ?? 0;
        expect(seconds).toBeGreaterThanOrEqual(base * 0.8);
        expect(seconds).toBeLessThanOrEqual(base * 1.2);
      }),
    );
  });

  it('are spread over sandboxes and the same for one', () => {
    const delays = Array.from({ length: 200 }, (_, i) => retryDelayMs(1, `uid-${i}`));
    expect(new Set(delays).size).toBeGreaterThan(150);
    expect(Math.min(...delays)).toBeLessThan(8500);
    expect(Math.max(...delays)).toBeGreaterThan(11_500);
    expect(retryDelayMs(3, 'u')).toBe(retryDelayMs(3, 'u'));
  });

  it('are measured from the failure', () => {
    const input = { restartCount: 0, lastFailureAt: T0, seed: 'u' };
    const delayMs = retryDelayMs(1, 'u');
    expect(decideRetry(input, T0)).toEqual({ action: 'wait', delayMs, attempt: 1 });
    expect(decideRetry(input, T0 + delayMs - 1)).toEqual({ action: 'wait', delayMs: 1, attempt: 1 });
    expect(decideRetry(input, T0 + delayMs)).toEqual({ action: 'restart', attempt: 1 });
  });

  it('end after five restarts', () => {
    const actions = [0, 1, 2, 3, 4, 5, 6].map(
      (restartCount) => decideRetry({ restartCount, lastFailureAt: T0, seed: 'u' }, T0 + 1e6).action,
    );
    expect(actions).toEqual([...Array.from({ length: 5 }, () => 'restart'), 'giveUp', 'giveUp']);
  });

  it('are forgotten after five minutes as ready', () => {
    expect(hasRecovered(T0, T0 + 5 * MINUTE - 1)).toBe(false);
    expect(hasRecovered(T0, T0 + 5 * MINUTE)).toBe(true);
    expect(recoversInMs(T0, T0 + MINUTE)).toBe(4 * MINUTE);
    expect(recoversInMs(T0, T0 + 9 * MINUTE)).toBe(0);
  });
});
