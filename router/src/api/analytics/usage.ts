// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { phaseOf, templateName } from '../sandboxes/view.ts';

type Startup = NonNullable<NonNullable<Sandbox['status']>['startup']>;
type Path = NonNullable<Startup['path']>;

export interface Spread {
  readonly count: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
}

const PATHS: readonly Path[] = ['warm', 'cold', 'resume'];

/** How many there are of what, and how long starts took. A resume is no first start and is not averaged with them. */
export function usageOf(sandboxes: readonly Sandbox[]) {
  const starts = sandboxes.flatMap(({ status }) => status?.startup ?? []);
  const first = timesOf(starts.filter(({ path }) => path !== 'resume'));
  return {
    total_sandboxes: sandboxes.length,
    status_breakdown: counted(sandboxes.map(phaseOf)),
    template_breakdown: counted(sandboxes.map((sandbox) => templateName(sandbox) || '_none')),
    avg_startup_ms: first.length === 0 ? 0 : Math.round(first.reduce((a, b) => a + b, 0) / first.length),
    startup_sample_count: first.length,
    startup: Object.fromEntries(
      PATHS.map((path) => [path, startsOf(starts.filter((start) => start.path === path))]),
    ),
  };
}

function counted(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

const timesOf = (starts: readonly Startup[]): number[] => starts.flatMap(({ totalMs }) => totalMs ?? []);

function startsOf(starts: readonly Startup[]): Spread & { readonly phases: Record<string, Spread> } {
  const names = new Set(starts.flatMap(({ phases = {} }) => Object.keys(phases)));
  const phases = [...names].map((name): [string, Spread] => [
    name,
    spreadOf(starts.flatMap(({ phases: times = {} }) => times[name] ?? [])),
  ]);
  return { ...spreadOf(timesOf(starts)), phases: Object.fromEntries(phases) };
}

function spreadOf(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (percent: number): number => sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? 0;
  return { count: sorted.length, p50_ms: at(50), p95_ms: at(95), p99_ms: at(99) };
}
