// SPDX-License-Identifier: Apache-2.0
import { ACTIVITY_INTERVAL_MS as INTERVAL_MS } from '@agenttier/crds/lifecycle/run';

/** Use of one sandbox, in milliseconds since the epoch. */
export interface Mark {
  /** When it was last used. */
  readonly usedAt: number;
  /** When its last use was last written to the cluster; undefined = never by this process. */
  readonly writtenAt?: number;
  /** The use that was written then. */
  readonly writtenUse?: number;
}

export const isDirty = (mark: Mark): boolean => mark.usedAt !== mark.writtenUse;

/** When the mark is to be written: at once for the first use, then no sooner than the interval allows. */
export function dueAt(mark: Mark, intervalMs = INTERVAL_MS): number {
  return mark.writtenAt === undefined ? mark.usedAt : Math.max(mark.usedAt, mark.writtenAt + intervalMs);
}

/** A mark that no longer says anything the cluster does not know and whose interval is over can go. */
export const isSpent = (mark: Mark, now: number): boolean =>
  !isDirty(mark) && mark.writtenAt !== undefined && now - mark.writtenAt > INTERVAL_MS;
