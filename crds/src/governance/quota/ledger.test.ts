// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../generated/types.ts';
import { formatQuantity } from '../../meta/quantity.ts';
import { demandOf, growth, NOTHING } from './demand.ts';
import { isCounted, LedgerDraft } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import type { QuotaRequest } from './request.ts';
import { clusterLimits, quotaLimits } from './limits.ts';
import type { QuotaLimits } from './limits.ts';
import { recount } from './recount.ts';
import { Tally, usedOf } from './tally.ts';

const at = '2026-01-01T00:00:00.000Z';
const NOW = Date.parse(at);
const limits = { cpu: '2', memory: '4Gi' };
const spec = {
  createdBy: { sub: 'alice' },
  resolved: {
    hash: '',
    compat: '',
    chain: [],
    origins: {},
    spec: { resources: { limits }, storage: { size: '10Gi' } },
  },
};
const sandbox = { metadata: {}, spec } as unknown as Sandbox;
const stopped = { ...sandbox, spec: { ...spec, desiredState: 'Stopped' } } as unknown as Sandbox;

const request = (more: Partial<QuotaRequest> = {}): QuotaRequest => ({
  uid: 'u1',
  namespace: 'team',
  name: 'one',
  user: 'alice',
  amounts: demandOf(sandbox),
  at,
  ...more,
});

const USED = { sandboxes: 2, cpu: '4', memory: '8Gi', storage: '20Gi', perUser: { alice: 1, bob: 1 } };

describe('demandOf', () => {
  it('counts CPU and memory only while the sandbox is meant to run', () => {
    const gi = 1024n ** 3n * 1000n;
    expect(demandOf(sandbox)).toEqual({
      user: 'alice',
      sandboxes: 1,
      agentSandboxes: 0,
      cpu: 2000n,
      memory: 4n * gi,
      storage: 10n * gi,
    });
    expect(demandOf(stopped)).toMatchObject({ cpu: 0n, memory: 0n, storage: 10n * gi });
  });

  it('grows by a resume, shrinks by a stop', () => {
    expect(growth(demandOf(sandbox), demandOf(stopped))).toMatchObject({
      sandboxes: 0,
      cpu: 2000n,
      storage: 0n,
    });
    expect(growth(demandOf(stopped), demandOf(sandbox))).toBeUndefined();
  });
});

describe('limits', () => {
  it('ignores zero and empty', () => {
    expect(quotaLimits({ maxSandboxesTotal: 0, total: { cpu: 0, memory: '' } })).toEqual({});
    expect(quotaLimits(undefined)).toEqual({});
  });

  it('leaves out of the cluster what it delegates and the namespace sets', () => {
    const cluster = {
      maxSandboxesTotal: 5,
      maxSandboxesPerUser: 2,
      maxAgentSandboxes: 1,
      total: { cpu: '4', memory: '8Gi' },
      delegated: ['total', 'maxSandboxesTotal', 'maxAgentSandboxes'],
    } as const;
    expect(clusterLimits(cluster, { total: { cpu: '8' }, maxAgentSandboxes: 7 })).toEqual({
      sandboxes: 5,
      perUser: 2,
      memory: '8Gi',
    });
    expect(clusterLimits(cluster, { maxSandboxesTotal: 50, maxSandboxesPerUser: 9 })).toEqual({
      perUser: 2,
      agentSandboxes: 1,
      cpu: '4',
      memory: '8Gi',
    });
  });
});

describe('a draft of a ledger', () => {
  it.each<[string, QuotaLimits, string[]]>([
    ['room for all', { sandboxes: 3, perUser: 2, cpu: '6', memory: '12Gi', storage: '30Gi' }, []],
    ['no room for one more', { sandboxes: 2 }, ['namespace_quota_exceeded metadata.namespace 2 3']],
    ['no room for the person', { perUser: 1 }, ['user_quota_exceeded spec.createdBy.sub 1 2']],
    ['too little CPU', { cpu: '5500m' }, ['total_cpu_exceeded spec.resources.limits.cpu 5500m 6']],
    [
      'too little memory',
      { memory: '11Gi' },
      ['total_memory_exceeded spec.resources.limits.memory 11Gi 12Gi'],
    ],
    ['too little storage', { storage: '29Gi' }, ['total_storage_exceeded spec.storage.size 29Gi 30Gi']],
    [
      'passed already',
      { sandboxes: 1, cpu: '1' },
      ['namespace_quota_exceeded metadata.namespace 1 3', 'total_cpu_exceeded spec.resources.limits.cpu 1 6'],
    ],
  ])('%s', (_case, limits, expected) => {
    const draft = new LedgerDraft({ used: USED });
    const found = draft.reserve(request(), limits, 'namespace');
    expect(found.map(({ code, field, limit, actual }) => [code, field, limit, actual].join(' '))).toEqual(
      expected,
    );
    expect(draft.changed).toBe(expected.length === 0);
    expect(Object.keys(draft.ledger().reservations ?? {})).toEqual(expected.length === 0 ? ['u1'] : []);
  });

  it('counts agents apart, and only where one is asked for', () => {
    const draft = new LedgerDraft({ used: { ...USED, agentSandboxes: 1 } });
    const agents = { agentSandboxes: 2 };
    const one = request({ amounts: { ...demandOf(sandbox), agentSandboxes: 1 } });
    expect(draft.reserve(one, agents, 'namespace')).toEqual([]);
    expect(draft.reserve({ ...one, uid: 'u2' }, agents, 'namespace')).toMatchObject([
      { code: 'agent_sandbox_quota_exceeded', field: 'spec.mode', limit: 2, actual: 3, scope: 'namespace' },
    ]);
    expect(draft.reserve(request({ uid: 'u3' }), agents, 'namespace')).toEqual([]);
    expect(Object.values(draft.ledger().reservations ?? {}).map(({ agent }) => agent)).toEqual([
      true,
      undefined,
    ]);
    draft.release('u1');
    expect(draft.reserve({ ...one, uid: 'u2' }, agents, 'namespace')).toEqual([]);
  });

  it('counts what is reserved, takes the same once, and gives it back', () => {
    const draft = new LedgerDraft({ used: USED });
    const cap = { sandboxes: 3 };
    expect(draft.reserve(request(), cap, 'namespace')).toEqual([]);
    expect(draft.reserve(request(), cap, 'namespace')).toEqual([]);
    expect(draft.reserve(request({ uid: 'u2' }), cap, 'namespace')).toHaveLength(1);
    const again = new LedgerDraft(draft.ledger());
    expect(again.reserve(request({ uid: 'u2' }), cap, 'namespace')).toHaveLength(1);
    again.release('u1');
    expect(again.reserve(request({ uid: 'u2' }), cap, 'namespace')).toEqual([]);
  });

  it('shares a reservation among the changes of one generation', () => {
    const draft = new LedgerDraft({ used: USED });
    const change = (cpu: bigint, generation: number) => request({ amounts: { ...NOTHING, cpu }, generation });
    draft.reserve(change(1000n, 4), {}, 'namespace');
    draft.reserve(change(3000n, 4), {}, 'namespace');
    draft.reserve(change(2000n, 4), {}, 'namespace');
    draft.reserve(change(500n, 5), {}, 'namespace');
    expect(draft.taken()).toMatchObject({ sandboxes: 2, cpu: 7500n });
    expect(
      Object.entries(draft.ledger().reservations ?? {}).map(([key, { cpu }]) => `${key} ${cpu}`),
    ).toEqual(['u1.4 3', 'u1.5 500m']);
  });

  it('lets the time of a shared reservation begin anew, and never earlier', () => {
    const draft = new LedgerDraft({ used: USED });
    const change = (cpu: bigint, second: number) =>
      request({ amounts: { ...NOTHING, cpu }, generation: 4, at: `2026-01-01T00:00:${second}.000Z` });
    const reservation = () => draft.ledger().reservations?.['u1.4'];
    draft.reserve(change(3000n, 10), {}, 'namespace');
    draft.reserve(change(1000n, 25), {}, 'namespace');
    expect(reservation()).toMatchObject({ cpu: '3', at: '2026-01-01T00:00:25.000Z' });
    draft.reserve(change(4000n, 20), {}, 'namespace');
    expect(reservation()).toMatchObject({ cpu: '4', at: '2026-01-01T00:00:25.000Z' });
    expect(draft.taken().cpu).toBe(8000n);
    const again = new LedgerDraft(draft.ledger());
    again.reserve(change(4000n, 25), {}, 'namespace');
    expect(again.changed).toBe(false);
    again.reserve(change(4000n, 26), {}, 'namespace');
    expect(again.changed).toBe(true);
  });

  it('does not take names of people for members of Object', () => {
    const draft = new LedgerDraft({ used: { sandboxes: 0, perUser: {} } });
    expect(draft.reserve(request({ user: 'constructor' }), { perUser: 1 }, 'cluster')).toEqual([]);
    expect(
      draft.reserve(request({ user: 'constructor', uid: 'u2' }), { perUser: 1 }, 'cluster'),
    ).toHaveLength(1);
  });

  it('is counted only when the operator was there', () => {
    expect(isCounted({}, { sandboxes: 1 })).toBe(false);
    expect(isCounted({ used: { sandboxes: 0 } }, { sandboxes: 1 })).toBe(true);
    expect(isCounted({ used: { sandboxes: 0 } }, { perUser: 1 })).toBe(false);
  });
});

describe('recount', () => {
  const tally = new Tally();
  tally.set('team/one', 'team', demandOf(sandbox));
  const reality = {
    usage: tally.usage('team'),
    generationOf: (uid: string) => (uid === 'u1' ? 3 : undefined),
  };
  const reservations = {
    u1: { at },
    'u1.2': { at, generation: 2 },
    'u1.3': { at, generation: 3 },
    u9: { at, name: 'nine' },
  };
  const ledger: Ledger = { reservations };

  it('turns into usage what is known, and keeps what is not', () => {
    const result = recount(ledger, reality, { now: NOW + 1_000, withPeople: true });
    expect(Object.keys(result.ledger.reservations ?? {})).toEqual(['u1.3', 'u9']);
    expect(result.ledger.used).toEqual({
      sandboxes: 1,
      agentSandboxes: 0,
      cpu: '2',
      memory: '4Gi',
      storage: '10Gi',
      perUser: { alice: 1 },
    });
    expect([result.changed, result.overdue, result.nextDue]).toEqual([true, [], NOW + 30_000]);
    expect(recount(result.ledger, reality, { now: NOW, withPeople: true }).changed).toBe(false);
  });

  it('names what is overdue, and drops only what somebody looked for', () => {
    const result = recount(ledger, reality, { now: NOW + 30_000, withPeople: false });
    expect(result.overdue.map(([key]) => key)).toEqual(['u1.3', 'u9']);
    expect(result.ledger.used?.perUser).toBeUndefined();
    const dropped = recount(ledger, reality, {
      now: NOW + 30_000,
      withPeople: false,
      dropped: new Set(['u9']),
    });
    expect(Object.keys(dropped.ledger.reservations ?? {})).toEqual(['u1.3']);
  });
});

describe('a tally', () => {
  it('follows what comes, changes and goes', () => {
    const tally = new Tally();
    tally.set('a/x', 'a', demandOf(sandbox));
    tally.set('b/x', 'b', demandOf(sandbox));
    tally.set('a/x', 'a', demandOf(stopped));
    expect(usedOf(tally.usage(undefined), true)).toEqual({
      sandboxes: 2,
      agentSandboxes: 0,
      cpu: '2',
      memory: '4Gi',
      storage: '20Gi',
      perUser: { alice: 2 },
    });
    expect(usedOf(tally.usage('a'), false)).toEqual({
      sandboxes: 1,
      agentSandboxes: 0,
      cpu: '0',
      memory: '0',
      storage: '10Gi',
    });
    tally.set('a/x', '', undefined);
    tally.set('b/x', '', undefined);
    expect(tally.usage(undefined).amounts).toEqual(NOTHING);
  });
});

it.each<[bigint, boolean, string]>([
  [1500n, false, '1500m'],
  [2000n, false, '2'],
  [0n, true, '0'],
  [1024n * 1000n, true, '1Ki'],
  [1536n * 1024n * 1000n, true, '1536Ki'],
  [1024n * 1000n, false, '1024'],
])('formatQuantity %s', (amount, binary, text) => {
  expect(formatQuantity(amount, binary)).toBe(text);
});

it('admits at the same cost among ten sandboxes and ten thousand', () => {
  const size = (count: number): number => {
    const tally = new Tally();
    for (let i = 0; i < count; i++)
      tally.set(`team/${i}`, 'team', { ...demandOf(sandbox), user: `user-${i % 10}` });
    const draft = new LedgerDraft({ used: usedOf(tally.usage('team'), true) });
    draft.reserve(request({ uid: 'new' }), { sandboxes: count + 1, perUser: count }, 'namespace');
    return JSON.stringify(draft.ledger()).length;
  };
  expect(size(10_000) - size(10)).toBeLessThan(64);
});
