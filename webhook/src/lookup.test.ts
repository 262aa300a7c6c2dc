// SPDX-License-Identifier: Apache-2.0
import { KubeError } from '@agenttier/machinery/kube/errors';
import { describe, expect, it } from 'vitest';
import { cluster, clusterPolicy, local, localPolicy, lookupScene } from './testing/lookupScene.ts';

const signal = new AbortController().signal;

describe('chain', () => {
  it('answers from the stores without asking anybody', async () => {
    const base = cluster('base');
    const leaf = local('leaf', { inheritsFrom: { kind: 'ClusterSandboxTemplate', name: 'base' } });
    const { lookup, asked } = lookupScene({ stored: [base, leaf] });
    const result = await lookup.chain({ kind: 'SandboxTemplate', name: 'leaf' }, 'team-a', { signal });
    expect(result.ok && result.chain.map((t) => t.metadata.name)).toEqual(['base', 'leaf']);
    expect(asked).toEqual([]);
  });

  it('reads what the stores have not heard of, link by link', async () => {
    const live = [
      local('leaf', { inheritsFrom: { kind: 'SandboxTemplate', name: 'middle' } }),
      local('middle', { inheritsFrom: { kind: 'ClusterSandboxTemplate', name: 'root' } }),
      cluster('root'),
    ];
    const { lookup, asked } = lookupScene({ live });
    const result = await lookup.chain({ kind: 'SandboxTemplate', name: 'leaf' }, 'team-a', { signal });
    expect(result.ok && result.chain.map((t) => t.metadata.name)).toEqual(['root', 'middle', 'leaf']);
    expect(asked).toEqual([
      'SandboxTemplate/team-a/leaf',
      'SandboxTemplate/team-a/middle',
      'ClusterSandboxTemplate/root',
    ]);
  });

  it('prefers a template of the namespace that came a moment ago to a known one of the cluster', async () => {
    const { lookup } = lookupScene({ stored: [cluster('base')], live: [local('base')] });
    const result = await lookup.chain({ name: 'base' }, 'team-a', { signal });
    expect(result.ok && result.chain[0]?.kind).toBe('SandboxTemplate');
  });

  it('remembers for two seconds that the namespace has none of that name', async () => {
    const { lookup, asked, advance } = lookupScene({ stored: [cluster('base')] });
    for (let i = 0; i < 3; i++) {
      const result = await lookup.chain({ name: 'base' }, 'team-a', { signal });
      expect(result.ok && result.chain[0]?.kind).toBe('ClusterSandboxTemplate');
    }
    expect(asked).toEqual(['SandboxTemplate/team-a/base']);
    advance(2_000);
    await lookup.chain({ name: 'base' }, 'team-a', { signal });
    expect(asked).toHaveLength(2);
  });

  it('names what may have been meant', async () => {
    const { lookup } = lookupScene({
      stored: [cluster('python'), local('python-gpu'), local('python', {}, 'team-b')],
    });
    const result = await lookup.chain({ name: 'pyhton' }, 'team-a', { signal });
    expect(result).toMatchObject({
      ok: false,
      violation: { code: 'template_not_found', message: expect.stringMatching(/near it: python$/) },
    });
  });

  it('asks the API server for everything when told to', async () => {
    const live = cluster('base', { timeout: '2h' });
    const { lookup } = lookupScene({ stored: [cluster('base', { timeout: '1h' })], live: [live] });
    const ref = { kind: 'ClusterSandboxTemplate', name: 'base' } as const;
    const result = await lookup.chain(ref, 'team-a', { signal, fresh: true });
    expect(result.ok && result.chain[0]?.spec.timeout).toBe('2h');
  });

  it('does not call a template missing when the API server cannot be asked', async () => {
    const error = new KubeError({ status: 500, reason: 'InternalError', message: 'etcd' });
    const { lookup } = lookupScene({ error });
    await expect(lookup.chain({ name: 'base' }, 'team-a', { signal })).rejects.toBe(error);
  });
});

describe('policy', () => {
  it('combines both policies and names them', async () => {
    const { lookup, asked } = lookupScene({
      policies: [clusterPolicy({ maxCpu: '4', maxMemory: '8Gi' }), localPolicy({ maxCpu: '2' })],
    });
    const outcome = await lookup.policy('team-a', { signal });
    expect(outcome).toMatchObject({
      ok: true,
      policy: { maxCpu: { value: '2', scope: 'namespace' }, maxMemory: { value: '8Gi', scope: 'cluster' } },
      sources: ['ClusterGovernancePolicy/default@7', 'GovernancePolicy/default@9'],
    });
    expect(asked).toEqual([]);
  });

  it('reads them live while the stores are not current', async () => {
    const { lookup, asked } = lookupScene({ current: false, live: [localPolicy({ maxCpu: '2' })] });
    expect(await lookup.policy('team-a', { signal })).toMatchObject({
      ok: true,
      policy: { maxCpu: { value: '2' } },
    });
    expect(asked).toHaveLength(2);
  });

  it('is a violation when a stored limit means nothing', async () => {
    const { lookup } = lookupScene({
      policies: [clusterPolicy({ maxCpu: '1' }), localPolicy({ maxCpu: '1e99999' })],
    });
    expect(await lookup.policy('team-a', { signal })).toMatchObject({
      violation: { code: 'policy_unavailable' },
    });
  });

  it.each([
    ['forbidden', new KubeError({ status: 403, reason: 'Forbidden', message: 'no' })],
    ['away', new KubeError({ status: 0, reason: 'NetworkError', message: 'refused' })],
  ])('is a violation when the API server is %s', async (_what, error) => {
    const { lookup } = lookupScene({ current: false, error });
    expect(await lookup.policy('team-a', { signal })).toMatchObject({
      ok: false,
      violation: { code: 'policy_unavailable' },
    });
  });
});
