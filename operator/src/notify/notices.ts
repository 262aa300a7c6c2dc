// SPDX-License-Identifier: Apache-2.0
import type {
  Sandbox,
  SandboxStatus,
  SandboxStatusNoticesItem,
  WebhookSubscription,
} from '@agenttier/crds/generated/types';
import type { EventNote } from '../decision/actions.ts';
import { eventTypeOf } from './eventTypes.ts';
import { receiversOf } from './matching.ts';

export type Notice = SandboxStatusNoticesItem;

/** Events of one sandbox that wait to be taken into the outbox; it takes them within moments, so few ever wait. */
const MAX_WAITING = 16;
const MAX_MESSAGE = 512;

/**
 * The fields of the status that make a transition's events durable: they are stored by the very write that makes the
 * transition, so there is no moment at which one is stored and the other is not. Empty when nobody has subscribed, which
 * keeps such a cluster free of any write.
 */
export function noticeFields(
  before: Sandbox,
  events: readonly EventNote[],
  { subscriptions, now }: { readonly subscriptions: Iterable<WebhookSubscription>; readonly now: number },
): Pick<SandboxStatus, 'noticeId' | 'notices'> {
  const known = [...subscriptions];
  let id = before.status?.noticeId ?? 0;
  const fresh = events.flatMap((event): Notice[] => {
    const type = eventTypeOf(event);
    const receivers = type === undefined ? [] : receiversOf(type, before, known);
    if (type === undefined || receivers.length === 0) return [];
    const { reason, note } = event;
    const time = new Date(now).toISOString();
    return [{ id: ++id, type, time, reason, message: note.slice(0, MAX_MESSAGE), subscriptions: receivers }];
  });
  if (fresh.length === 0) return {};
  return { noticeId: id, notices: [...(before.status?.notices ?? []), ...fresh].slice(-MAX_WAITING) };
}

/** What is left in the status once everything up to `id` is in the outbox; undefined for nothing. */
export function noticesAfter({ status }: Sandbox, id: number): readonly Notice[] | undefined {
  const left = (status?.notices ?? []).filter((notice) => notice.id > id);
  return left.length === 0 ? undefined : left;
}
