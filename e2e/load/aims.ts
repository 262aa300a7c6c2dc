// SPDX-License-Identifier: Apache-2.0
import type { Figure } from './stats.ts';

/** What a figure is to be: at most or at least a number, or that much more than another figure. */
export interface Aim {
  readonly text: string;
  readonly of: string;
  readonly value: 'p50' | 'p99' | 'max' | 'min';
  readonly atMost?: number;
  readonly atLeast?: number;
  /** The figure, at p50, over which `of` is counted. */
  readonly over?: string;
}

const atMost = (of: string, value: Aim['value'], limit: number, unit = 'ms'): Aim => ({
  text: `${of} ${value} ≤ ${limit} ${unit}`,
  of,
  value,
  atMost: limit,
});
const atLeast = (of: string, limit: number, unit: string): Aim => ({
  text: `${of} ≥ ${limit} ${unit}`,
  of,
  value: 'p50',
  atLeast: limit,
});
const over = (of: string, other: string, limit: number): Aim => ({
  text: `${of} at most ${limit} ms over ${other}`,
  of,
  value: 'p50',
  atMost: limit,
  over: other,
});

export const AIMS: readonly Aim[] = [
  over('cold create → Running', 'bare pod of the same shape → Running', 300),
  over('resume → Running', 'cold create → Running', 0),
  atMost('stop → Stopped (pod gone)', 'p50', 2000),
  atMost('20 creates at once → all Running', 'p50', 5200),
  atMost('warm create → Running', 'p50', 25),
  atMost('warm create → Running', 'p99', 60),
  atMost('warm create → first exec answered', 'p50', 45),
  atLeast('starts with a free slot that were warm', 100, '%'),
  atMost('API writes of a claim', 'p50', 6, ''),
  atMost('8 warm creates at once → all Running', 'p50', 150),
  atMost('pool of 8 full again after such a burst', 'p50', 3000),
  atMost('webhook handler (mutate, create)', 'p99', 5),
  atMost('resident memory, router', 'max', 105, 'MiB'),
  atMost('resident memory, webhook', 'max', 105, 'MiB'),
  atMost('terminal echo', 'p50', 0.8),
  atMost('terminal echo', 'p99', 2),
  atLeast('terminal output', 50, 'MB/s'),
  atMost('exec `true`', 'p50', 5),
  atMost('invoke → first output', 'p50', 8),
  atLeast('upload', 150, 'MB/s'),
  atLeast('download', 150, 'MB/s'),
  atMost('memory of an idle terminal in the router', 'p50', 60, 'KB'),
  atMost('killed router → output again', 'max', 1000),
  atMost('list of 1,000', 'p50', 15),
  atMost('initial JavaScript of the dashboard', 'p50', 110, 'KB'),
  atMost('first card on screen', 'p50', 1000),
  over('key echo in the page', 'terminal echo', 10),
  atMost('frames, 1,000 cards scrolled while things change', 'p99', 50),
  atMost('frames, 1,000 rows scrolled while things change', 'p99', 50),
  atMost('growth of memory in the page', 'max', 10, '%'),
  atMost('growth of nodes in the page', 'max', 10, '%'),
  atLeast('frames a second while 1 MB/s prints', 59, '/s'),
];

/** Each aim whose figures were measured, with what was, as a Markdown table. */
export function aimTable(figures: readonly Figure[], aims: readonly Aim[] = AIMS): string {
  const rows = aims.flatMap((aim) => {
    const measured = reached(figures, aim);
    return measured === undefined
      ? []
      : [`| ${aim.text} | ${measured.text} | ${verdict(aim, measured.value)} |`];
  });
  return ['| Aim | As measured | |', '|---|---|---|', ...rows].join('\n');
}

function reached(figures: readonly Figure[], aim: Aim): { value: number; text: string } | undefined {
  const named = (name: string): Figure | undefined => figures.find((one) => one.name === name);
  const figure = named(aim.of);
  if (figure === undefined) return undefined;
  if (aim.over === undefined) {
    const value = figure[aim.value];
    return { value, text: `${value} ${figure.unit}` };
  }
  const other = named(aim.over);
  if (other === undefined) return undefined;
  const value = figure[aim.value] - other.p50;
  return { value, text: `${figure[aim.value]} ${figure.unit} beside ${other.p50} ${other.unit}` };
}

function verdict({ atMost: most, atLeast: least }: Aim, value: number): string {
  const met = value <= (most ?? Infinity) && value >= (least ?? -Infinity);
  return met ? 'met' : 'missed';
}
