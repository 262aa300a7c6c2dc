// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, WebhookSubscription } from '../generated/types.ts';
import type { EventType } from './eventTypes.ts';

/** Most receivers of one event; a ring in the sandbox's status names each. */
const MAX_RECEIVERS = 64;

/** Whether events are delivered at all. A subscription that was switched off begins anew with its next edit. */
export function isActive({ metadata, spec, status }: WebhookSubscription): boolean {
  if (spec.disabled || metadata.deletionTimestamp !== undefined) return false;
  return status?.state !== 'Disabled' || status.observedGeneration !== metadata.generation;
}

/** Uids of the subscriptions that are to hear of it. */
export function receiversOf(
  type: EventType,
  sandbox: Sandbox,
  subscriptions: Iterable<WebhookSubscription>,
): string[] {
  const receivers: string[] = [];
  for (const one of subscriptions) {
    const { uid } = one.metadata;
    if (uid !== undefined && isActive(one) && wants(one, type, sandbox)) receivers.push(uid);
    if (receivers.length === MAX_RECEIVERS) break;
  }
  return receivers;
}

function wants(subscription: WebhookSubscription, type: EventType, sandbox: Sandbox): boolean {
  const { eventTypes, sandbox: name, selector } = subscription.spec;
  return (
    (eventTypes === undefined || eventTypes.length === 0 || eventTypes.includes(type)) &&
    (name === undefined || name === sandbox.metadata.name) &&
    hasLabels(sandbox, selector?.matchLabels ?? {}) &&
    isWithin(subscription, sandbox)
  );
}

function hasLabels({ metadata }: Sandbox, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => metadata.labels?.[key] === value);
}

/** Admission has checked that the subscriber may have that scope. */
function isWithin({ metadata, spec }: WebhookSubscription, sandbox: Sandbox): boolean {
  if (spec.scope === 'Cluster') return true;
  if (metadata.namespace !== sandbox.metadata.namespace) return false;
  const owner = spec.createdBy?.sub;
  return spec.scope === 'Namespace' || (owner !== undefined && owner === sandbox.spec?.createdBy?.sub);
}
