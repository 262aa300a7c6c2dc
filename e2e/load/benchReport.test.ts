// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { type BenchReport, merged, section } from './benchReport.ts';
import { figure } from './stats.ts';

const facts = { cpus: 2, loadBefore: 0.1, node: 'v24.0.0' };
const report = (
  at: string,
  values: Readonly<Record<string, number>>,
  failed: string[] = [],
): BenchReport => ({
  at,
  machine: facts,
  figures: Object.entries(values).map(([name, value]) => ({ ...figure(name, [value], 'by hand'), at })),
  failed: failed.map((name) => ({ name, why: 'no router\nat all' })),
});

const whole = report('2026-01-01T00:00:00Z', { 'terminal echo': 3, other: 5 }, ['echo', 'files']);
const again = report('2026-01-02T00:00:00Z', { 'terminal echo': 0.5, fresh: 7 });

it('puts what was measured again in its old place', () => {
  const both = merged(whole, again, ['echo']);
  expect(both.figures.map(({ name, p50 }) => [name, p50])).toEqual([
    ['terminal echo', 0.5],
    ['other', 5],
    ['fresh', 7],
  ]);
  expect(both.failed.map(({ name }) => name)).toEqual(['files']);
});

it('says what is of another run, what failed, and how figures stand beside their aims', () => {
  const text = section(merged(whole, again, ['echo']));
  expect(text).toContain(
    'Measured 2026-01-01 on 2 CPUs with Node v24.0.0, load average 0.1 before the start.',
  );
  expect(text).toContain('Of a later run: terminal echo, fresh.');
  expect(text).toContain('Not measured: files (no router).');
  expect(text).toContain('| terminal echo p50 ≤ 0.8 ms | 0.5 ms | met |');
});
