// SPDX-License-Identifier: Apache-2.0

const FIRST_MS = 1_000;
const LONGEST_MS = 5 * 60_000;
/** Older events are given up: whoever was away for a day reads the state instead. */
export const LIFETIME_MS = 24 * 3_600_000;
/** Tries after which an event counts as one that could not be delivered; it goes on being tried. */
export const TRIES_OF_A_FAILURE = 5;
/** Such events in a row after which a subscription is switched off. */
export const FAILURES_TO_DISABLE = 15;

/** Milliseconds to wait after that many tries: doubled each time, with a fifth of spread so that receivers are not hit in step. */
export function retryAfterMs(attempts: number, random: () => number = Math.random): number {
  const base = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempts - 1));
  return Math.round(base * (0.9 + 0.2 * random()));
}
