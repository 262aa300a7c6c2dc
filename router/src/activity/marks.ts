// SPDX-License-Identifier: Apache-2.0

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

export const isDirty = (mark: Mark): boolean => mark.usedAt !== mark.writtenUse;

/** When the mark is to be written: at once for the first use, then no sooner than the interval allows. */
export function dueAt(mark: Mark): number {
  return mark.writtenAt === undefined ? mark.usedAt : Math.max(mark.usedAt, mark.writtenAt + INTERVAL_MS);
}

/** A mark that no longer says anything the cluster does not know and whose interval is over can go. */
export const isSpent = (mark: Mark, now: number): boolean =>
  !isDirty(mark) && mark.writtenAt !== undefined && now - mark.writtenAt > INTERVAL_MS;
