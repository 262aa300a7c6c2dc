// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import type { Burst } from './quotaBurst.ts';
import { type Figure, table } from './stats.ts';

export interface AdmissionReport {
  readonly at: string;
  readonly machine: { readonly cpus: number; readonly loadBefore: number; readonly node: string };
  readonly perSecond: number;
  readonly figures: readonly Figure[];
  readonly burst?: Burst | undefined;
}

export const machine = (): AdmissionReport['machine'] => ({
  cpus: cpus().length,
  loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  node: process.version,
});

/** What our webhooks add to a create at the same place in the same run, by percentile. */
export function addedRows(figures: readonly Figure[]): string[] {
  return figures.flatMap((withHooks) => {
    const label = /^create with webhooks, (.*)$/.exec(withHooks.name)?.[1];
    const without = figures.find(({ name }) => name === `create without webhooks, ${label}`);
    if (label === undefined || without === undefined) return [];
    const added = (of: 'p50' | 'p99'): string => (withHooks[of] - without[of]).toFixed(2);
    return [`| ${label} | ${added('p50')} ms | ${added('p99')} ms |`];
  });
}

/** The measured part of docs/performance-admission.md. */
export function section(report: AdmissionReport): string {
  const { at, machine, perSecond, figures, burst } = report;
  const lines = [
    `Measured ${at.slice(0, 10)} with Node ${machine.node} on ${machine.cpus} CPUs, load average ${machine.loadBefore} before the start, ${perSecond} requests/s.`,
    '',
    table(figures),
    '',
    'What our webhooks add to a create:',
    '',
    '| Where | p50 | p99 |',
    '|---|---|---|',
    ...addedRows(figures),
    '',
    burst === undefined
      ? 'Burst: not measured, the webhook reports no ledger writes.'
      : `Burst of ${burst.creates} creates against a cap of ${burst.cap}: ${burst.ledgerWrites} ledger writes (one for ${(burst.creates / Math.max(1, burst.ledgerWrites)).toFixed(1)} admissions), ${burst.refused} refused, ${burst.milliseconds} ms.`,
  ];
  return lines.join('\n');
}

const BEGIN = /<!-- figures: written by make bench(?:-[a-z]+)? -->/;
const END = '<!-- end of figures -->';

/** The document with the section between its two marks replaced. Throws when it has no marks. */
export function withSection(document: string, text: string): string {
  const mark = BEGIN.exec(document);
  const end = document.indexOf(END);
  if (mark === null || end < mark.index)
    throw new Error(`the document needs the lines <!-- figures: written by make bench… --> and ${END}`);
  return `${document.slice(0, mark.index + mark[0].length)}\n\n${text}\n\n${document.slice(end)}`;
}

export function writeSection(file: string, report: AdmissionReport): void {
  replaceSection(file, section(report));
}

/** Puts a text between the marks of a document that a bench writes. */
export function replaceSection(file: string, text: string): void {
  writeFileSync(file, withSection(readFileSync(file, 'utf8'), text));
}
