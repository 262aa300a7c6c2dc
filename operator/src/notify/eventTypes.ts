// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, WebhookSubscriptionSpec } from '@agenttier/crds/generated/types';
import type { EventNote } from '../decision/actions.ts';

export type EventType = NonNullable<WebhookSubscriptionSpec['eventTypes']>[number];

/** Reasons of the operator's own Events, by what they tell subscribers. Reasons that are not here concern nobody outside. */
const BY_REASON: Readonly<Record<string, EventType>> = {
  Creating: 'sandbox.creating',
  Running: 'sandbox.running',
  Resumed: 'sandbox.resumed',
  Restarting: 'sandbox.restarted',
  IdleWarning: 'sandbox.idle_warning',
  Stopped: 'sandbox.stopped',
  Error: 'sandbox.error',
  Deleting: 'sandbox.deleting',
};

/**
 * What a transition of the sandbox tells subscribers, or undefined. `before` is the sandbox as it was: the same Event is
 * the first start of one sandbox and the resume of another.
 */
export function eventTypeOf({ reason }: EventNote, before: Sandbox): EventType | undefined {
  const stopped = before.status?.phase === 'Stopped' || before.status?.phase === 'Error';
  return reason === 'Creating' && stopped ? 'sandbox.resumed' : BY_REASON[reason];
}
