// SPDX-License-Identifier: Apache-2.0
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import { ANNOTATION_ADMITTED_AT } from '@agenttier/crds/meta/labels';
import { describe, expect, it } from 'vitest';
import type { Milestones, SandboxState } from '../sandbox/state.ts';
import { sandbox, T0 } from '../testing/fixtures.ts';
import { startupOf, startupTally } from './startup.ts';

interface Given {
  readonly milestones?: Milestones;
  readonly status?: SandboxStatus;
  readonly admittedAt?: number;
  readonly slot?: string;
}

function stateOf({ milestones = {}, status, admittedAt = T0, slot }: Given): SandboxState {
  const base = sandbox({ annotations: { [ANNOTATION_ADMITTED_AT]: String(admittedAt) } });
  const labels = slot === undefined ? {} : { 'agenttier.io/slot': slot };
  return {
    sandbox: status === undefined ? base : { ...base, status },
    observations: { refusals: new Map(), milestones },
    pod: { metadata: { labels } },
  } as unknown as SandboxState;
}

const sum = (phases: Readonly<Record<string, number>> = {}): number =>
  Object.values(phases).reduce((total, ms) => total + ms, 0);

describe('the record of a start', () => {
  it.each<[string, Given, string, Record<string, number>]>([
    [
      'of a new pod',
      {
        milestones: {
          podCreated: T0 + 30,
          scheduled: T0 + 50,
          initPulled: T0 + 350,
          initialized: T0 + 400,
          pulled: T0 + 600,
        },
      },
      'cold',
      { admit: 30, schedule: 20, pull: 500, init: 50, ready: 400 },
    ],
    [
      'of a prepared pod',
      { milestones: { claimed: T0 + 8, adopted: T0 + 990 }, slot: 'pool' },
      'warm',
      { claim: 8, adopt: 982, ready: 10 },
    ],
    ['that another replica began', {}, 'cold', { ready: 1_000 }],
    [
      'with a step that was seen late',
      { milestones: { podCreated: T0 + 30, scheduled: T0 + 20, initialized: T0 + 500 } },
      'cold',
      { admit: 30, init: 470, ready: 500 },
    ],
    [
      'after a stop',
      {
        status: {
          startup: { path: 'cold', admittedAt: new Date(T0 - 60_000).toISOString(), totalMs: 2_000 },
        },
        milestones: { podCreated: T0 + 100 },
      },
      'resume',
      { admit: 100, ready: 900 },
    ],
  ])('%s adds up', (_name, given, path, phases) => {
    const found = startupOf(stateOf(given), T0 + 1_000);
    expect(found).toMatchObject({ path, totalMs: 1_000, phases });
    expect(sum(found?.phases)).toBe(found?.totalMs);
    const tally = startupTally(stateOf(given), found ?? {});
    expect(tally).toMatchObject({ metric: 'startup', path, seconds: 1, template: 'base' });
  });

  const recorded = { path: 'cold', admittedAt: new Date(T0).toISOString(), totalMs: 900 } as const;

  it.each<[string, Given]>([
    ['a drain', { status: { startup: recorded }, milestones: { requested: T0 } }],
    ['a failure', { status: { startup: recorded, lastFailureAt: new Date(T0 + 5_000).toISOString() } }],
    ['a failure of the first pod', { status: { lastFailureAt: new Date(T0 + 5).toISOString() } }],
  ])('is none of a pod that is replaced after %s', (_name, given) => {
    expect(startupOf(stateOf(given), T0 + 9_000)).toBeUndefined();
  });

  it('takes what was seen where a start was asked for past admission', () => {
    const state = stateOf({ status: { startup: recorded }, milestones: { requested: T0 + 5_000 } });
    expect(startupOf(state, T0 + 5_700)).toMatchObject({ path: 'resume', totalMs: 700 });
  });
});
