// SPDX-License-Identifier: Apache-2.0
import type { WebhookSubscription, WebhookSubscriptionStatus } from '@agenttier/crds/generated/types';
import type { Delivery } from './delivery.ts';
import type { Attempt } from './lane.ts';
import { FAILURES_TO_DISABLE, TRIES_OF_A_FAILURE } from './schedule.ts';

const HISTORY = 20;
const MAX_TEXT = 500;

/** A subscription's status before anything has happened to it, or after an edit that switches it on again. */
export function freshStatus({ metadata, status }: WebhookSubscription): WebhookSubscriptionStatus {
  const { disabledReason: _, ...kept } = status ?? {};
  const again = kept.state === 'Disabled';
  return {
    ...kept,
    state: 'Active',
    consecutiveFailures: again ? 0 : (kept.consecutiveFailures ?? 0),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  };
}

export interface Try {
  readonly delivery: Delivery;
  readonly attempt: number;
  readonly result: Attempt;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * The status after one more try. An event counts as failed with its fifth try, once; any success ends the row. Enough of
 * them in a row switch the subscription off.
 */
export function afterTry(
  status: WebhookSubscriptionStatus,
  { delivery, attempt, result, now }: Try,
): WebhookSubscriptionStatus {
  const { statusCode, error, success } = result;
  const entry = {
    id: delivery.id,
    eventType: delivery.event,
    timestamp: new Date(now).toISOString(),
    attempt,
    success,
    ...(statusCode === undefined ? {} : { statusCode }),
    ...(error === undefined ? {} : { error: error.slice(0, MAX_TEXT) }),
  };
  const failed = !success && attempt === TRIES_OF_A_FAILURE ? 1 : 0;
  const consecutiveFailures = success ? 0 : (status.consecutiveFailures ?? 0) + failed;
  const deliveries = [entry, ...(status.deliveries ?? [])].slice(0, HISTORY);
  const next = { ...status, consecutiveFailures, deliveries };
  if (consecutiveFailures < FAILURES_TO_DISABLE) return next;
  const last = error ?? `the last answer was ${statusCode}`;
  const disabledReason = `${consecutiveFailures} events in a row could not be delivered: ${last}. Edit the subscription to switch it on again`;
  return { ...next, state: 'Disabled', disabledReason: disabledReason.slice(0, 2 * MAX_TEXT) };
}

/** Events that nobody will get any more. */
export const afterDrop = (status: WebhookSubscriptionStatus): WebhookSubscriptionStatus => ({
  ...status,
  dropped: (status.dropped ?? 0) + 1,
});
