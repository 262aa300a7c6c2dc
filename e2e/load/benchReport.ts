// SPDX-License-Identifier: Apache-2.0
import { aimTable } from './aims.ts';
import type { machine } from './admissionReport.ts';
import { type Figure, table } from './stats.ts';

export interface BenchReport {
  /** When the whole run began. */
  readonly at: string;
  readonly machine: ReturnType<typeof machine>;
  readonly figures: readonly (Figure & { readonly at: string })[];
  /** Measurements that ended in an error. */
  readonly failed: readonly { readonly name: string; readonly why: string }[];
}

/** The whole run with some of its measurements made again. */
export function merged(whole: BenchReport, again: BenchReport, names: readonly string[]): BenchReport {
  const fresh = new Map(again.figures.map((one) => [one.name, one]));
  const replaced = whole.figures.map((one) => fresh.get(one.name) ?? one);
  const known = new Set(whole.figures.map(({ name }) => name));
  return {
    ...whole,
    figures: [...replaced, ...again.figures.filter(({ name }) => !known.has(name))],
    failed: [...whole.failed.filter(({ name }) => !names.includes(name)), ...again.failed],
  };
}

/** The measured part of docs/performance.md. */
export function section({ at, machine: { cpus, node, loadBefore }, figures, failed }: BenchReport): string {
  const later = figures.filter((one) => one.at !== at).map(({ name }) => name);
  return [
    `Measured ${at.slice(0, 10)} on ${cpus} CPUs with Node ${node}, load average ${loadBefore} before the start.`,
    ...(later.length > 0 ? [`Of a later run: ${later.join(', ')}.`] : []),
    ...failed.map(({ name, why }) => `Not measured: ${name} (${why.split('\n')[0]}).`),
    '',
    table(figures),
    '',
    '## Beside the aims',
    '',
    aimTable(figures),
  ].join('\n');
}
