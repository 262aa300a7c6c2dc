// SPDX-License-Identifier: Apache-2.0
import type { Starts } from '../../data/analytics.ts';
import type { BarLine, Tone } from '../../parts/figures.ts';
import { shareOf, tookText } from '../../text/numbers.ts';

export const STATUS_TONES = {
  Running: 'good',
  Creating: 'busy',
  Stopped: 'muted',
  Error: 'bad',
  Deleting: 'warn',
} as const satisfies Readonly<Record<string, Tone>>;

/** Counts by name as bars of their sum, the largest first. */
export function countLines(
  counts: Readonly<Record<string, number>>,
  nameOf: (name: string) => string,
): readonly BarLine[] {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const tones: Readonly<Record<string, Tone>> = STATUS_TONES;
  return Object.entries(counts)
    .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([name, count]) => ({
      name: nameOf(name),
      figure: String(count),
      share: shareOf(count, total),
      tone: tones[name] ?? 'accent',
    }));
}

/** The longest bar of all. */
export const slowest = (starts: readonly Starts[]): number =>
  Math.max(0, ...starts.map(({ p99_ms }) => p99_ms));

export const startLines = (
  { p50_ms, p95_ms, p99_ms }: Starts,
  scale: number,
  lang: string,
): readonly BarLine[] =>
  Object.entries({ p50: p50_ms, p95: p95_ms, p99: p99_ms }).map(([name, ms]) => ({
    name,
    figure: tookText(ms, lang),
    share: shareOf(ms, scale),
  }));

/** What takes longest first: it is what one would like to know. */
export const phasesInOrder = (phases: Starts['phases']): readonly string[] =>
  Object.entries(phases)
    .toSorted(([a, x], [b, y]) => y.p50_ms - x.p50_ms || (a < b ? -1 : 1))
    .map(([name]) => name);
