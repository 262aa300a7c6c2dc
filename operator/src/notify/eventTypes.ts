// SPDX-License-Identifier: Apache-2.0
import type { EventType } from '@agenttier/crds/subscription/eventTypes';
import type { EventNote } from '../decision/actions.ts';

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
  BackupCreated: 'backup.created',
};

/** What an Event tells subscribers, or undefined. */
export const eventTypeOf = ({ reason }: EventNote): EventType | undefined => BY_REASON[reason];
