// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';

/** A condition that did not come true in time; the message says what was last seen. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

export interface Waiting {
  readonly what: string;
  readonly deadlineMs: number;
  /** Milliseconds between two looks; 50 unless told. */
  readonly everyMs?: number;
}

/** Looks until `check` gives true. A text means "not yet, because"; a thrown error ends the wait at once. */
export async function waitFor(waiting: Waiting, check: () => Promise<true | string>): Promise<void> {
  const until = Date.now() + waiting.deadlineMs;
  for (;;) {
    const seen = await check();
    if (seen === true) return;
    if (Date.now() > until) {
      throw new DeadlineError(
        `${waiting.what}: not within ${Math.round(waiting.deadlineMs / 1000)} s (${seen})`,
      );
    }
    await pause(waiting.everyMs ?? 50);
  }
}
