// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '@agenttier/crds/meta/hash';

export interface Slots {
  /** The latest time in the schedule that has come; absent before the first. */
  readonly current?: number;
  readonly next: number;
}

/**
 * The times at which a sandbox is backed up: every `everyMs`, from its creation on, shifted by a part of the interval
 * that its uid gives. So many sandboxes made together, or with a leader that was away, do not all come at once; and each
 * leader counts the same times.
 */
export function slotsOf(uid: string, createdAt: number, everyMs: number, now: number): Slots {
  const share = Number.parseInt(sha256Hex(uid).slice(0, 8), 16) / 2 ** 32;
  const first = createdAt + Math.floor(share * everyMs);
  const count = Math.floor((now - first) / everyMs);
  if (count < 0) return { next: first };
  const current = first + count * everyMs;
  return { current, next: current + everyMs };
}
