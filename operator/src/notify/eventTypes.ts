// SPDX-License-Identifier: Apache-2.0
import type { EventType } from '@agenttier/crds/subscription/eventTypes';
import type { News } from '@agenttier/crds/subscription/notices';
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
  BackupPruned: 'backup.pruned',
  ShareGranted: 'share.granted',
  ShareRevoked: 'share.revoked',
};

/**
 * What the Events of a transition tell subscribers. It is stored by the very write that makes the transition, so there is no
 * moment at which one is stored and the other is not.
 */
export const newsOf = (events: readonly EventNote[]): readonly News[] =>
  events.flatMap(({ reason, note }) => {
    const type = BY_REASON[reason];
    return type === undefined ? [] : [{ type, reason, message: note }];
  });
