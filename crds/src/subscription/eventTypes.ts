// SPDX-License-Identifier: Apache-2.0
import type { WebhookSubscriptionSpec } from '../generated/types.ts';

export type EventType = NonNullable<WebhookSubscriptionSpec['eventTypes']>[number];

/** Each type, so that one that is added to the CRD and not here does not compile. */
const KNOWN: Readonly<Record<EventType, true>> = {
  'sandbox.creating': true,
  'sandbox.running': true,
  'sandbox.resumed': true,
  'sandbox.restarted': true,
  'sandbox.idle_warning': true,
  'sandbox.stopped': true,
  'sandbox.error': true,
  'sandbox.deleting': true,
  'backup.created': true,
  'backup.pruned': true,
  'share.granted': true,
  'share.revoked': true,
  'agent.invoke.started': true,
  'agent.invoke.completed': true,
  'agent.invoke.failed': true,
};

/** What subscriptions can ask for. */
export const EVENT_TYPES = Object.keys(KNOWN) as readonly EventType[];
