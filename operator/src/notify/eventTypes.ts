// SPDX-License-Identifier: Apache-2.0
import type { WebhookSubscriptionSpec } from '@agenttier/crds/generated/types';
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

/** What an Event tells subscribers, or undefined. */
export const eventTypeOf = ({ reason }: EventNote): EventType | undefined => BY_REASON[reason];
