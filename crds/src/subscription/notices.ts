// SPDX-License-Identifier: Apache-2.0
import type {
  Sandbox,
  SandboxStatus,
  SandboxStatusNoticesItem,
  WebhookSubscription,
} from '../generated/types.ts';
import type { EventType } from './eventTypes.ts';
import { receiversOf } from './matching.ts';

export type Notice = SandboxStatusNoticesItem;

/** Something that subscribers may want to hear of. */
export interface News {
  readonly type: EventType;
  /** One word for the cause. */
  readonly reason: string;
  readonly message: string;
  /** Of an event that may be told more than once: the same each time, so that it counts once. */
  readonly key?: string;
}

/** Events of one sandbox that wait to be taken into the outbox; it takes them within moments, so few ever wait. */
export const MAX_WAITING = 16;
const MAX_MESSAGE = 512;

export interface NoticeContext {
  readonly subscriptions: Iterable<WebhookSubscription>;
  readonly now: number;
}

/**
 * The fields of the status that carry events to the notifier. Whoever stores them does so under the version of the sandbox
 * that they were made from, so that no writer takes another's away. Empty when nobody has subscribed, which keeps such a
 * cluster free of any write.
 */
export function noticeFields(
  before: Sandbox,
  news: readonly News[],
  { subscriptions, now }: NoticeContext,
): Pick<SandboxStatus, 'noticeId' | 'notices'> {
  const known = [...subscriptions];
  let id = before.status?.noticeId ?? 0;
  const fresh = news.flatMap(({ type, reason, message, key }): Notice[] => {
    const receivers = receiversOf(type, before, known);
    if (receivers.length === 0) return [];
    const time = new Date(now).toISOString();
    const text = message.slice(0, MAX_MESSAGE);
    const notice = { id: ++id, type, time, reason, message: text, subscriptions: receivers };
    return [key === undefined ? notice : { ...notice, key }];
  });
  if (fresh.length === 0) return {};
  return { noticeId: id, notices: [...(before.status?.notices ?? []), ...fresh].slice(-MAX_WAITING) };
}

/** What is left in the status once everything up to `id` is in the outbox; undefined for nothing. */
export function noticesAfter({ status }: Sandbox, id: number): readonly Notice[] | undefined {
  const left = (status?.notices ?? []).filter((notice) => notice.id > id);
  return left.length === 0 ? undefined : left;
}
