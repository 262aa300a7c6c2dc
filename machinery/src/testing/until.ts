// SPDX-License-Identifier: Apache-2.0

/** Waits for a condition, looking at it every few milliseconds; throws with `what` when the deadline passes. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'the condition',
  deadlineMs = 30_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
