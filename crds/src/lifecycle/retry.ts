// SPDX-License-Identifier: Apache-2.0

/** How often a sandbox is started again after failures that are not its own. */
export const RETRY_BUDGET = 5;
const FIRST_DELAY_MS = 10_000;
const JITTER = 0.2;
/** A pod that was ready this long has recovered, and the budget is whole again. */
export const RECOVERED_AFTER_MS = 5 * 60_000;

export interface RetryInput {
  /** Restarts that were already spent. */
  readonly restartCount: number;
  /** When the pod failed, in milliseconds of the epoch. */
  readonly lastFailureAt: number;
  /** Anything that stays the same for one sandbox, so that its delay does; its uid is best. */
  readonly seed: string;
}

export type RetryDecision =
  | { readonly action: 'giveUp' }
  | { readonly action: 'wait'; readonly delayMs: number; readonly attempt: number }
  | { readonly action: 'restart'; readonly attempt: number };

/** What to do at `now` about a pod that failed. Measured from the failure, so a restarted operator waits no longer. */
export function decideRetry(input: RetryInput, now: number): RetryDecision {
  if (input.restartCount >= RETRY_BUDGET) return { action: 'giveUp' };
  const attempt = input.restartCount + 1;
  const delayMs = input.lastFailureAt + retryDelayMs(attempt, input.seed) - now;
  return delayMs > 0 ? { action: 'wait', delayMs, attempt } : { action: 'restart', attempt };
}

/** Delay before an attempt (from 1): 10, 20, 40, 80, 160 s, each up to a fifth shorter or longer. */
export function retryDelayMs(attempt: number, seed: string): number {
  const base = FIRST_DELAY_MS * 2 ** (attempt - 1);
  return Math.round(base * (1 - JITTER + 2 * JITTER * fractionOf(`${seed}/${attempt}`)));
}

/** Whether the pod has been ready long enough at `now` for the count of restarts to go back to 0. */
export function hasRecovered(readySince: number, now: number): boolean {
  return now - readySince >= RECOVERED_AFTER_MS;
}

/** When `hasRecovered` turns true, in milliseconds from `now`. */
export function recoversInMs(readySince: number, now: number): number {
  return Math.max(0, readySince + RECOVERED_AFTER_MS - now);
}

/**
 * FNV-1a of the text as a number in [0, 1). A jitter drawn from chance would be another one at every look, and the
 * operator looks at a waiting sandbox many times.
 */
function fractionOf(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01_00_01_93);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
