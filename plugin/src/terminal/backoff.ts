// SPDX-License-Identifier: Apache-2.0

const FIRST_MS = 200;
const LONGEST_MS = 5000;

/**
 * Milliseconds before the next attempt after `failures` in a row. The first attempt comes quickly, since a router that
 * is being replaced has a twin; `random` (0..1) spreads the many terminals of one router that went away.
 */
export function reconnectDelay(failures: number, random: number): number {
  const base = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
  return Math.round(base * (0.5 + random / 2));
}
