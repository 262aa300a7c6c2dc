// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';

export interface LoopResult {
  /** Milliseconds from the moment a call was due to its answer, in the order of the calls that succeeded. */
  readonly latencies: readonly number[];
  readonly failures: readonly unknown[];
  /** Calls a second that were really begun. */
  readonly rate: number;
}

/**
 * Begins calls at a fixed rate, whether or not earlier ones have been answered, as independent clients do. Each is timed
 * from when it was due and not from when it was sent: a server that stalls delays all who come meanwhile, and a loop
 * that waits for answers would count that once (coordinated omission).
 */
export async function openLoop(
  perSecond: number,
  count: number,
  call: (index: number) => Promise<unknown>,
): Promise<LoopResult> {
  const latencies: number[] = [];
  const failures: unknown[] = [];
  const begun = performance.now();
  const pending: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const due = begun + (index * 1000) / perSecond;
    // A timer is a millisecond coarse; what is left of it is waited for by turns of the event loop.
    const wait = due - performance.now();
    if (wait > 2) await pause(wait - 1);
    while (performance.now() < due) await new Promise(setImmediate);
    pending.push(
      call(index).then(
        () => void latencies.push(performance.now() - due),
        (error: unknown) => void failures.push(error),
      ),
    );
  }
  const rate = count / ((performance.now() - begun) / 1000 + 1 / perSecond);
  await Promise.all(pending);
  return { latencies, failures, rate };
}
