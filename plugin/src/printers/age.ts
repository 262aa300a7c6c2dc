// SPDX-License-Identifier: Apache-2.0

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

type Unit = readonly [seconds: number, letter: string];

/** Up to which span in seconds which units are shown; the second unit is left out when it would be zero. */
const SCALE: readonly { readonly below: number; readonly big: Unit; readonly small?: Unit }[] = [
  { below: 2 * MINUTE, big: [1, 's'] },
  { below: 10 * MINUTE, big: [MINUTE, 'm'], small: [1, 's'] },
  { below: 3 * HOUR, big: [MINUTE, 'm'] },
  { below: 8 * HOUR, big: [HOUR, 'h'], small: [MINUTE, 'm'] },
  { below: 2 * DAY, big: [HOUR, 'h'] },
  { below: 8 * DAY, big: [DAY, 'd'], small: [HOUR, 'h'] },
  { below: 2 * YEAR, big: [DAY, 'd'] },
  { below: 8 * YEAR, big: [YEAR, 'y'], small: [DAY, 'd'] },
  { below: Number.POSITIVE_INFINITY, big: [YEAR, 'y'] },
];

/** Two units at most, fewer as the span grows: what kubectl prints in its AGE column. `ms` is a span in milliseconds. */
export function formatAge(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return '<invalid>';
  const shown = Math.max(0, seconds);
  const step = SCALE.find(({ below }) => shown < below);
  if (!step) return '<invalid>';
  const { big, small } = step;
  const head = `${Math.floor(shown / big[0])}${big[1]}`;
  const rest = small ? Math.floor((shown % big[0]) / small[0]) : 0;
  return small && rest > 0 ? `${head}${rest}${small[1]}` : head;
}

/** Age of an RFC 3339 time at `now` (milliseconds), or `<unknown>` where there is no readable time. */
export function ageSince(timestamp: string | undefined, now: number): string {
  const at = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(at) ? '<unknown>' : formatAge(now - at);
}
