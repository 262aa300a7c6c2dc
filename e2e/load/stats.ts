// SPDX-License-Identifier: Apache-2.0

/** One measured figure. Times in milliseconds, memory in MiB or in KB of a thousand bytes, rates in MB of a million bytes. */
export interface Figure {
  readonly name: string;
  readonly unit: 'ms' | 'MiB' | 'KB' | 'MB/s' | 'writes' | '/s' | '%' | 'nodes';
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly min: number;
  readonly max: number;
  /** How it was measured, in a few words. */
  readonly method: string;
}

/** Nearest-rank percentile of a non-empty list; `p` from 0 to 100. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((p / 100) * sorted.length));
  const value = sorted[rank - 1];
  if (value === undefined) throw new Error('percentile of nothing');
  return value;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

export function figure(
  name: string,
  values: readonly number[],
  method: string,
  unit: Figure['unit'] = 'ms',
): Figure {
  return {
    name,
    unit,
    n: values.length,
    p50: rounded(percentile(values, 50)),
    p99: rounded(percentile(values, 99)),
    min: rounded(Math.min(...values)),
    max: rounded(Math.max(...values)),
    method,
  };
}

/** Megabytes, of a million bytes, in a second. */
export const rate = (bytes: number, milliseconds: number): number => bytes / 1000 / milliseconds;

/** The figures as a Markdown table. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map(
    ({ name, unit, n, p50, p99, min, max, method }) =>
      `| ${name} | ${p50} ${unit} | ${p99} ${unit} | ${min}–${max} | ${n} | ${method} |`,
  );
  return ['| Figure | p50 | p99 | min–max | n | Method |', '|---|---|---|---|---|---|', ...rows].join('\n');
}
