// SPDX-License-Identifier: Apache-2.0

export interface ExpiryInput {
  /** When the pod became ready; without it nothing expires. Milliseconds of the epoch, as all times here. */
  readonly startedAt?: number;
  readonly lastActivityAt?: number;
  /** Bounds in milliseconds; absent or 0 is none. */
  readonly timeoutMs?: number;
  readonly idleTimeoutMs?: number;
  /** How long before a stop the warning begins; never more than half of the bound, or a short one would only warn. */
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
  /** When the warning begins; `at` without one. */
  readonly warnAt: number;
}

/** Whether a running sandbox has to stop at `now`, or will within the grace, and when to look again. */
export function expiry(input: ExpiryInput, now: number): Expiry {
  const deadlines = deadlinesOf(input);
  const passed = deadlines.find(({ at }) => at <= now);
  if (passed !== undefined) return { expired: passed.reason };
  const moments = deadlines.flatMap(({ at, warnAt }) => [at, warnAt]).filter((time) => time > now);
  if (moments.length === 0) return {};
  const nextCheckMs = Math.min(...moments) - now;
  const nearest = deadlines.filter(({ warnAt }) => warnAt <= now).toSorted((a, b) => a.at - b.at)[0];
  if (nearest === undefined) return { nextCheckMs };
  return { warning: { reason: nearest.reason, at: nearest.at }, nextCheckMs };
}

function deadlinesOf(input: ExpiryInput): Deadline[] {
  const { startedAt, lastActivityAt, timeoutMs = 0, idleTimeoutMs = 0, graceMs = 0 } = input;
  if (startedAt === undefined) return [];
  const deadline = (reason: ExpiryReason, from: number, limit: number): Deadline[] => {
    const at = from + limit;
    return limit > 0 ? [{ reason, at, warnAt: at - Math.min(graceMs, Math.floor(limit / 2)) }] : [];
  };
  // Activity of an earlier run does not count against this one.
  const lastUse = Math.max(startedAt, lastActivityAt ?? 0);
  return [
    ...deadline('MaxRuntime', startedAt, timeoutMs),
    ...deadline('IdleTimeout', lastUse, idleTimeoutMs),
  ];
}
