// SPDX-License-Identifier: Apache-2.0
import type { ClusterGovernancePolicy, GovernancePolicy, PolicySpec } from '@agenttier/crds/generated/types';
import { CLUSTER_GOVERNANCE_POLICIES, GOVERNANCE_POLICIES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { KubeError } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { Store } from '@agenttier/machinery/reflector/store';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import { MemoryApi } from '@agenttier/machinery/testing/memoryApi';
import { describe, expect, it } from 'vitest';
import type { SpecifiedSandbox } from '../sandbox/specified.ts';
import { QuotaAdmission } from './admission.ts';
import type { QuotaAsk } from './admission.ts';
import type { LedgerObject } from './scopeLedger.ts';

const NONE = { sandboxes: 0, perUser: {} };

/** Time that passes only by sleeping. */
function quickClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => now,
    sleep: async (ms) => {
      now += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

interface Setup {
  readonly cluster?: PolicySpec;
  readonly namespace?: PolicySpec;
  readonly used?: object | undefined;
  readonly replicas?: number;
}

async function setup({ cluster, namespace, used = NONE, replicas = 1 }: Setup) {
  const api = new MemoryApi();
  const make = async (spec: PolicySpec | undefined, place: string | undefined): Promise<void> => {
    if (!spec) return;
    const metadata = { name: 'default', ...(place ? { namespace: place } : {}) };
    const resource = place ? GOVERNANCE_POLICIES : CLUSTER_GOVERNANCE_POLICIES;
    await api.create(resource, place, { metadata, spec, status: { used } } as KubeObject);
  };
  await make(cluster, undefined);
  await make(namespace, 'team');
  const written: string[] = [];
  const admissions = Array.from({ length: replicas }, () => {
    const stores = {
      policies: new Store<GovernancePolicy>(),
      clusterPolicies: new Store<ClusterGovernancePolicy>(),
    };
    const lookup = { policySpecs: () => Promise.resolve({ cluster, namespace }) };
    const onWrite = (scope: string, result: string) => written.push(`${scope} ${result}`);
    return new QuotaAdmission({ client: api, lookup, stores, clock: quickClock(), onWrite });
  });
  const reserved = async (place: string | undefined): Promise<string[]> => {
    const resource = place ? GOVERNANCE_POLICIES : CLUSTER_GOVERNANCE_POLICIES;
    const { status } = await api.get<LedgerObject>(resource, { namespace: place, name: 'default' });
    return Object.keys(status?.reservations ?? {});
  };
  api.calls.length = 0;
  return { api, admissions, written, reserved };
}

function ask(uid: string, more: Partial<QuotaAsk> = {}): QuotaAsk {
  const spec = { createdBy: { sub: 'alice' }, storage: { size: '1Gi' } };
  const sandbox = { metadata: { uid, name: `sbx-${uid}`, namespace: 'team' }, spec } as SpecifiedSandbox;
  return { sandbox, old: undefined, namespace: 'team', commit: true, ...more };
}

const signal = new AbortController().signal;
const codes = ({ violations }: { violations: readonly { code: string; scope?: string }[] }): string[] =>
  violations.map(({ code, scope }) => `${code} ${scope}`);

describe('QuotaAdmission', () => {
  it('asks nobody where no quota is set', async () => {
    const { api, admissions } = await setup({ namespace: { maxCpu: '1' } });
    expect(await admissions[0]?.admit(ask('a'), signal)).toEqual({ violations: [] });
    expect(api.calls).toEqual([]);
  });

  it('admits exactly the cap over two replicas, in few writes', async () => {
    const { admissions, written, reserved } = await setup({
      namespace: { maxSandboxesTotal: 10 },
      replicas: 2,
    });
    const asked = Array.from({ length: 200 }, (_, i) => admissions[i % 2]!.admit(ask(`u${i}`), signal));
    const answers = await Promise.all(asked);
    expect(answers.filter((answer) => answer.violations.length === 0)).toHaveLength(10);
    expect(await reserved('team')).toHaveLength(10);
    expect(written.length).toBeLessThan(20);
  });

  it('says what stands against it in both scopes, and takes nothing in either', async () => {
    const limits = { maxSandboxesTotal: 1 };
    const { admissions, reserved } = await setup({
      cluster: limits,
      namespace: limits,
      used: { sandboxes: 1 },
    });
    expect(codes(await admissions[0]!.admit(ask('a'), signal))).toEqual([
      'namespace_quota_exceeded cluster',
      'namespace_quota_exceeded namespace',
    ]);
    expect([await reserved(undefined), await reserved('team')]).toEqual([[], []]);
  });

  it('gives back to the cluster what the namespace has no room for', async () => {
    const { admissions, reserved } = await setup({
      cluster: { maxSandboxesTotal: 5 },
      namespace: { maxSandboxesTotal: 1 },
    });
    const [one] = admissions;
    expect(codes(await one!.admit(ask('a'), signal))).toEqual([]);
    expect(codes(await one!.admit(ask('b'), signal))).toEqual(['namespace_quota_exceeded namespace']);
    expect([await reserved(undefined), await reserved('team')]).toEqual([['a'], ['a']]);
  });

  it('writes nothing to answer a question', async () => {
    const { admissions, written } = await setup({
      namespace: { maxSandboxesTotal: 1 },
      used: { sandboxes: 1 },
    });
    const answer = await admissions[0]!.admit(ask('a', { commit: false }), signal);
    expect([codes(answer), written]).toEqual([['namespace_quota_exceeded namespace'], []]);
  });

  it('knows a name that is taken', async () => {
    const { api, admissions, written } = await setup({ namespace: { maxSandboxesTotal: 1 } });
    await api.create(SANDBOXES, 'team', { metadata: { name: 'sbx-a', namespace: 'team' } });
    expect(await admissions[0]?.admit(ask('a'), signal)).toEqual({ violations: [], exists: true });
    expect(written).toEqual([]);
  });

  it('judges by the limit as it is when the room is taken', async () => {
    const { api, admissions } = await setup({ namespace: { maxSandboxesTotal: 5 }, used: { sandboxes: 3 } });
    const body = { spec: { maxSandboxesTotal: 2 } };
    await api.patch(GOVERNANCE_POLICIES, { namespace: 'team', name: 'default' }, { type: 'merge', body });
    expect(codes(await admissions[0]!.admit(ask('a'), signal))).toEqual([
      'namespace_quota_exceeded namespace',
    ]);
  });

  it.each<[string, KubeError | undefined, RegExp]>([
    [
      'cannot be read',
      new KubeError({ status: 403, reason: 'Forbidden', message: 'no' }),
      /Forbidden \(403\)/,
    ],
    ['always changes', new KubeError({ status: 409, reason: 'Conflict', message: 'no' }), /try again/],
    ['is not counted', undefined, /agenttier-operator/],
  ])('refuses when the ledger %s', async (_case, error, words) => {
    const used = error ? NONE : {};
    const { api, admissions } = await setup({ namespace: { maxSandboxesTotal: 5 }, used });
    api.before = ({ verb, resource }) => {
      const fails =
        error && resource === GOVERNANCE_POLICIES && (error.status === 409 ? verb === 'update' : true);
      if (fails) throw error;
    };
    const { violations } = await admissions[0]!.admit(ask('a'), signal);
    expect(violations).toEqual([
      {
        code: 'policy_unavailable',
        field: 'metadata.namespace',
        message: expect.stringMatching(words) as string,
      },
    ]);
  });

  it('asks for the limit without which there is no sum', async () => {
    const { admissions } = await setup({ namespace: { total: { cpu: '4' } } });
    const { sandbox } = ask('a');
    const resolved = { hash: '', compat: '', chain: [], origins: {}, spec: { resources: {} } };
    const question = ask('a', { sandbox: { ...sandbox, spec: { ...sandbox.spec, resolved } } });
    expect(codes(await admissions[0]!.admit(question, signal))).toEqual(['cpu_limit_missing namespace']);
  });
});
