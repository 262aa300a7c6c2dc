// SPDX-License-Identifier: Apache-2.0

/** setTimeout fires at once beyond this. */
const LONGEST_MS = 2 ** 31 - 1;

/** Calls `ring` at a moment (milliseconds of the epoch), however far away. Returns how to call it off. */
export function alarmAt(at: number, ring: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    const left = at - Date.now();
    timer = setTimeout(left > LONGEST_MS ? wait : ring, Math.max(0, Math.min(left, LONGEST_MS))).unref();
  };
  wait();
  return () => clearTimeout(timer);
}
