// SPDX-License-Identifier: Apache-2.0
import type {
  ClusterGovernancePolicy,
  ClusterSandboxTemplate,
  GovernancePolicy,
  SandboxTemplate,
  TemplateSpec,
} from '@agenttier/crds/generated/types';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { KubeError } from '@agenttier/machinery/kube/errors';
import type { KubeObject, ObjectKey, Resource } from '@agenttier/machinery/kube/resource';
import { Store } from '@agenttier/machinery/reflector/store';
import { describe, expect, it } from 'vitest';
import { Lookup } from './lookup.ts';

const signal = new AbortController().signal;

const local = (name: string, spec: TemplateSpec = {}, namespace = 'team-a'): SandboxTemplate => ({
  kind: 'SandboxTemplate',
  metadata: { name, namespace, uid: `${namespace}-${name}`, generation: 1 },
  spec,
});
const cluster = (name: string, spec: TemplateSpec = {}): ClusterSandboxTemplate => ({
  kind: 'ClusterSandboxTemplate',
  metadata: { name, uid: name, generation: 1 },
  spec,
});

interface Scene {
  readonly stored?: readonly (SandboxTemplate | ClusterSandboxTemplate)[];
  readonly live?: readonly KubeObject[];
  readonly error?: KubeError;
  readonly policies?: readonly (GovernancePolicy | ClusterGovernancePolicy)[];
  readonly current?: boolean;
}

function setUp(scene: Scene) {
  const stores = {
    templates: new Store<SandboxTemplate>(),
    clusterTemplates: new Store<ClusterSandboxTemplate>(),
    policies: new Store<GovernancePolicy>(),
    clusterPolicies: new Store<ClusterGovernancePolicy>(),
  };
  for (const object of scene.stored ?? []) {
    (object.metadata.namespace ? stores.templates : stores.clusterTemplates).applyWatch(object);
  }
  for (const object of scene.policies ?? []) {
    (object.metadata.namespace ? stores.policies : stores.clusterPolicies).applyWatch(object);
  }
  const asked: string[] = [];
  const get = async (resource: Resource, key: ObjectKey): Promise<KubeObject> => {
    asked.push([resource.kind, key.namespace, key.name].filter(Boolean).join('/'));
    if (scene.error) throw scene.error;
    const found = scene.live?.find(
      (o) =>
        o.kind === resource.kind && o.metadata.name === key.name && o.metadata.namespace === key.namespace,
    );
    if (!found) throw new KubeError({ status: 404, reason: 'NotFound', message: 'gone' });
    return found;
  };
  let now = 0;
  const lookup = new Lookup({
    client: { get } as unknown as KubeClient,
    stores,
    policiesCurrent: () => scene.current ?? true,
    now: () => now,
  });
  return { lookup, asked, advance: (ms: number) => (now += ms) };
}

describe('chain', () => {
  it('answers from the stores without asking anybody', async () => {
    const base = cluster('base');
    const leaf = local('leaf', { inheritsFrom: { kind: 'ClusterSandboxTemplate', name: 'base' } });
    const { lookup, asked } = setUp({ stored: [base, leaf] });
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
    const { lookup, asked } = setUp({ live });
    const result = await lookup.chain({ kind: 'SandboxTemplate', name: 'leaf' }, 'team-a', { signal });
    expect(result.ok && result.chain.map((t) => t.metadata.name)).toEqual(['root', 'middle', 'leaf']);
    expect(asked).toEqual([
      'SandboxTemplate/team-a/leaf',
      'SandboxTemplate/team-a/middle',
      'ClusterSandboxTemplate/root',
    ]);
  });

  it('prefers a template of the namespace that came a moment ago to a known one of the cluster', async () => {
    const { lookup } = setUp({ stored: [cluster('base')], live: [local('base')] });
    const result = await lookup.chain({ name: 'base' }, 'team-a', { signal });
    expect(result.ok && result.chain[0]?.kind).toBe('SandboxTemplate');
  });

  it('remembers for two seconds that the namespace has none of that name', async () => {
    const { lookup, asked, advance } = setUp({ stored: [cluster('base')] });
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
    const { lookup } = setUp({
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
    const { lookup } = setUp({ stored: [cluster('base', { timeout: '1h' })], live: [live] });
    const ref = { kind: 'ClusterSandboxTemplate', name: 'base' } as const;
    const result = await lookup.chain(ref, 'team-a', { signal, fresh: true });
    expect(result.ok && result.chain[0]?.spec.timeout).toBe('2h');
  });

  it('does not call a template missing when the API server cannot be asked', async () => {
    const error = new KubeError({ status: 500, reason: 'InternalError', message: 'etcd' });
    const { lookup } = setUp({ error });
    await expect(lookup.chain({ name: 'base' }, 'team-a', { signal })).rejects.toBe(error);
  });
});

describe('policy', () => {
  const clusterPolicy: ClusterGovernancePolicy = {
    kind: 'ClusterGovernancePolicy',
    metadata: { name: 'default', resourceVersion: '7' },
    spec: { maxCpu: '4', maxMemory: '8Gi' },
  };
  const localPolicy: GovernancePolicy = {
    kind: 'GovernancePolicy',
    metadata: { name: 'default', namespace: 'team-a', resourceVersion: '9' },
    spec: { maxCpu: '2' },
  };

  it('combines both policies and names them', async () => {
    const { lookup, asked } = setUp({ policies: [clusterPolicy, localPolicy] });
    const outcome = await lookup.policy('team-a', { signal });
    expect(outcome).toMatchObject({
      ok: true,
      policy: { maxCpu: { value: '2', scope: 'namespace' }, maxMemory: { value: '8Gi', scope: 'cluster' } },
      sources: ['ClusterGovernancePolicy/default@7', 'GovernancePolicy/default@9'],
    });
    expect(asked).toEqual([]);
  });

  it('reads them live while the stores are not current', async () => {
    const { lookup, asked } = setUp({ current: false, live: [localPolicy] });
    expect(await lookup.policy('team-a', { signal })).toMatchObject({
      ok: true,
      policy: { maxCpu: { value: '2' } },
    });
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['forbidden', new KubeError({ status: 403, reason: 'Forbidden', message: 'no' })],
    ['away', new KubeError({ status: 0, reason: 'NetworkError', message: 'refused' })],
  ])('is a violation when the API server is %s', async (_what, error) => {
    const { lookup } = setUp({ current: false, error });
    expect(await lookup.policy('team-a', { signal })).toMatchObject({
      ok: false,
      violation: { code: 'policy_unavailable' },
    });
  });
});
