// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '../generated/types.ts';
import { CONDITION_TYPES, findCondition } from '../meta/conditions.ts';
import { parseDuration } from '../meta/duration.ts';
import { expiry } from './expiry.ts';
import type { ExpiryInput, ExpiryReason } from './expiry.ts';

/** What the end of a sandbox's present run is reckoned from: its limits, when it began and when it was last used. */
export function runOf({ spec, status }: Sandbox): ExpiryInput {
  const { timeout, idleTimeout } = spec?.resolved?.spec ?? {};
  return present({
    startedAt: timeOf(status?.startedAt),
    lastActivityAt: timeOf(status?.lastActivityTimestamp),
    timeoutMs: limitOf(timeout),
    idleTimeoutMs: limitOf(idleTimeout),
  });
}

/** A warning that is in force: why the sandbox will stop, when, and in words. */
export interface StopWarning {
  readonly reason: ExpiryReason;
  /** Milliseconds of the epoch. */
  readonly at: number;
  readonly message: string;
}

/** The warning that the operator has put into the status; the moment is reckoned anew, never read from its words. */
export function stopWarningOf(sandbox: Sandbox): StopWarning | undefined {
  const condition = findCondition(sandbox.status?.conditions, CONDITION_TYPES.idleWarning);
  if (condition?.status !== 'True') return undefined;
  const reason: ExpiryReason = condition.reason === 'MaxRuntime' ? 'MaxRuntime' : 'IdleTimeout';
  const { timeoutMs, idleTimeoutMs, ...times } = runOf(sandbox);
  const bound = reason === 'MaxRuntime' ? { timeoutMs } : { idleTimeoutMs };
  const left = expiry(present({ ...times, ...bound }), 0).nextCheckMs;
  return left === undefined ? undefined : { reason, at: left, message: condition.message };
}

/** A sandbox's status is told of its use at most so often, however busy it is. */
export const ACTIVITY_INTERVAL_MS = 30_000;
/** While its stop is near, use is told at once: the person watches whether it helps. */
const URGENT_MS = 1_000;

/**
 * How far apart the writes of `lastActivityTimestamp` are. A short idle timeout needs them closer together: it must not
 * run out between two of them while somebody types.
 */
export function activityIntervalMs(sandbox: Sandbox | undefined): number {
  if (sandbox === undefined) return ACTIVITY_INTERVAL_MS;
  if (stopWarningOf(sandbox) !== undefined) return URGENT_MS;
  const { idleTimeoutMs } = runOf(sandbox);
  if (idleTimeoutMs === undefined) return ACTIVITY_INTERVAL_MS;
  return Math.min(ACTIVITY_INTERVAL_MS, Math.max(URGENT_MS, idleTimeoutMs / 4));
}

const timeOf = (text: string | undefined): number | undefined => {
  const value = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(value) ? undefined : value;
};

/** Milliseconds; undefined for no limit: absent, empty or zero. */
const limitOf = (text: string | undefined): number | undefined => parseDuration(text ?? '') || undefined;

/** Without members that are undefined, which exact optional properties do not take. */
const present = <T extends object>(value: T): { [F in keyof T]?: Exclude<T[F], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
