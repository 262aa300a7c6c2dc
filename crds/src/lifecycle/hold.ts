// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '../generated/types.ts';
import { findCondition } from '../meta/conditions.ts';
import { ANNOTATION_RETRY } from '../meta/labels.ts';

/** Type of the condition that keeps a sandbox down. */
export const HELD = 'Held';

/**
 * Why a sandbox stays down although `spec.desiredState` says Running.
 *
 * The spec is the user's, so a stop that the operator decides (idle, maximum run time, the program ended, given up)
 * cannot be written there; and without a mark the next reconcile would start it again. The mark is the condition
 * `Held` together with `status.observedRetry`. It is a level, not an edge: it says "held since the retry annotation had
 * this value", so any later reconcile, also by another operator, comes to the same answer.
 */
export interface Hold {
  readonly outcome: 'Stopped' | 'Error';
  readonly reason: string;
  readonly message: string;
}

const STOP_REASONS: ReadonlySet<string> = new Set([
  'UserRequested',
  'IdleTimeout',
  'MaxRuntime',
  'Completed',
]);

export const holdOf = (reason: string, message: string): Hold => ({
  outcome: STOP_REASONS.has(reason) ? 'Stopped' : 'Error',
  reason,
  message,
});

/** Longest value that `status.observedRetry` can hold. */
const MAX_RETRY_VALUE = 256;

export const retryValue = (sandbox: Sandbox): string =>
  (sandbox.metadata.annotations?.[ANNOTATION_RETRY] ?? '').slice(0, MAX_RETRY_VALUE);

/**
 * The hold that is in force, if any. It ends when the user asserts Running anew:
 * - the retry annotation has another value than when the hold was made (the router sets it on resume), or
 * - `desiredState` went to Stopped, which replaces the hold by the user's own stop, or
 * - after an Error only: the spec was edited, since a corrected image should not need a second command.
 */
export function activeHold(sandbox: Sandbox): Hold | undefined {
  const { status = {}, spec = {}, metadata } = sandbox;
  const condition = findCondition(status.conditions, HELD);
  if (condition?.status !== 'True' || spec.desiredState === 'Stopped') return undefined;
  const hold = holdOf(condition.reason, condition.message);
  const asserted = (status.observedRetry ?? '') !== retryValue(sandbox);
  const edited = hold.outcome === 'Error' && condition.observedGeneration !== metadata.generation;
  return asserted || edited ? undefined : hold;
}
