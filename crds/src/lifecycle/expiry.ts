// SPDX-License-Identifier: Apache-2.0

export interface ExpiryInput {
  /** When the pod became ready; without it nothing expires. Milliseconds of the epoch, as all times here. */
  readonly startedAt?: number;
  readonly lastActivityAt?: number;
  /** Bounds in milliseconds; absent or 0 is none. */
  readonly timeoutMs?: number;
  readonly idleTimeoutMs?: number;
  /** How long before a stop the warning begins. */
  readonly graceMs?: number;
}

export type ExpiryReason = 'IdleTimeout' | 'MaxRuntime';

export interface Expiry {
  /** Set when a bound has passed. When both have, the run time is named: activity could not have helped. */
  readonly expired?: ExpiryReason;
  /** Set when `now` is within the grace before a stop. */
  readonly warning?: { readonly reason: ExpiryReason; readonly at: number };
  /** Milliseconds until the answer can change without an event; absent when it cannot. */
  readonly nextCheckMs?: number;
}

interface Deadline {
  readonly reason: ExpiryReason;
  readonly at: number;
}

/** Whether a running sandbox has to stop at `now`, or will within the grace, and when to look again. */
export function expiry(input: ExpiryInput, now: number): Expiry {
  const deadlines = deadlinesOf(input);
  const passed = deadlines.find(({ at }) => at <= now);
  if (passed !== undefined) return { expired: passed.reason };
  const grace = input.graceMs ?? 0;
  const next = deadlines.toSorted((a, b) => a.at - b.at)[0];
  if (next === undefined) return {};
  const warnAt = next.at - grace;
  if (grace > 0 && warnAt <= now) return { warning: next, nextCheckMs: next.at - now };
  return { nextCheckMs: (grace > 0 ? warnAt : next.at) - now };
}

function deadlinesOf({
  startedAt,
  lastActivityAt,
  timeoutMs = 0,
  idleTimeoutMs = 0,
}: ExpiryInput): Deadline[] {
  if (startedAt === undefined) return [];
  const deadlines: Deadline[] = [];
  if (timeoutMs > 0) deadlines.push({ reason: 'MaxRuntime', at: startedAt + timeoutMs });
  // Activity of an earlier run does not count against this one.
  const lastUse = Math.max(startedAt, lastActivityAt ?? 0);
  if (idleTimeoutMs > 0) deadlines.push({ reason: 'IdleTimeout', at: lastUse + idleTimeoutMs });
  return deadlines;
}
