// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { runOf, stopWarningOf } from '@agenttier/crds/lifecycle/run';

/** Use of one sandbox, in milliseconds since the epoch. */
export interface Mark {
  /** When it was last used. */
  readonly usedAt: number;
  /** When its last use was last written to the cluster; undefined = never by this process. */
  readonly writtenAt?: number;
  /** The use that was written then. */
  readonly writtenUse?: number;
}

/** A sandbox's status is written at most so often, however busy it is. */
export const INTERVAL_MS = 30_000;
/** While its stop is near, use is told at once: the person watches whether it helps. */
const URGENT_MS = 1_000;

/**
 * How far apart the writes for a sandbox are. A short idle timeout needs them closer together: it must not run out between
 * two of them while somebody types.
 */
export function intervalOf(sandbox: Sandbox | undefined): number {
  if (sandbox === undefined) return INTERVAL_MS;
  if (stopWarningOf(sandbox) !== undefined) return URGENT_MS;
  const { idleTimeoutMs = 0 } = runOf(sandbox);
  return idleTimeoutMs > 0 ? Math.min(INTERVAL_MS, Math.max(URGENT_MS, idleTimeoutMs / 4)) : INTERVAL_MS;
}

export const isDirty = (mark: Mark): boolean => mark.usedAt !== mark.writtenUse;

/** When the mark is to be written: at once for the first use, then no sooner than the interval allows. */
export function dueAt(mark: Mark, intervalMs = INTERVAL_MS): number {
  return mark.writtenAt === undefined ? mark.usedAt : Math.max(mark.usedAt, mark.writtenAt + intervalMs);
}

/** A mark that no longer says anything the cluster does not know and whose interval is over can go. */
export const isSpent = (mark: Mark, now: number): boolean =>
  !isDirty(mark) && mark.writtenAt !== undefined && now - mark.writtenAt > INTERVAL_MS;
