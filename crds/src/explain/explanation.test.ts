// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { PolicySpec, PolicyStatus, Sandbox } from '../generated/types.ts';
import { effectivePolicy } from '../governance/effective.ts';
import { quantityText } from './amount.ts';
import { effectiveView } from './effectiveView.ts';
import { explainSandbox, explainTemplate } from './explanation.ts';
import { usageOf } from './usage.ts';

const spec = {
  image: { repository: 'ghcr.io/acme/py' },
  resources: { limits: { cpu: '1500m', memory: '6Gi' } },
  storage: { size: '20Gi' },
  timeout: '2h',
  sidecars: [{ name: 'db', image: 'postgres', resources: { limits: { cpu: '1', memory: '1Gi' } } }],
};
const origins = Object.fromEntries(
  [
    'image.repository',
    'resources.limits.cpu',
    'resources.limits.memory',
    'storage.size',
    'timeout',
    'sidecars[db]',
  ].map((field) => [field, 'ClusterSandboxTemplate/py']),
);
const sandbox = {
  metadata: { name: 'demo', namespace: 'team' },
  spec: {
    templateRef: { name: 'py' },
    resolved: { hash: 'h', chain: [{ kind: 'ClusterSandboxTemplate', name: 'py' }], origins, spec },
  },
} as unknown as Sandbox;

const cluster: PolicySpec = {
  maxCpu: '4',
  maxMemory: '8Gi',
  maxTimeout: '8h',
  approvedRegistries: ['ghcr.io/acme', 'docker.io'],
  allowedTemplates: ['py'],
  requiredRuntimeClass: 'gvisor',
};
const local: PolicySpec = { maxMemory: '6Gi', maxStorage: '50Gi', approvedRegistries: ['ghcr.io/acme'] };

const explained = (policies: { cluster?: PolicySpec; local?: PolicySpec }, of = sandbox) =>
  explainSandbox(of, {
    policies: {
      ...(policies.cluster && { cluster: { spec: policies.cluster } }),
      ...(policies.local && { local: { spec: policies.local } }),
    },
    users: 'all',
  });

describe('explainSandbox', () => {
  it('names policy, scope, limit and what is left for every field', () => {
    const { fields = [] } = explained({ cluster, local }) ?? {};
    const lines = fields.flatMap(({ field, bounds }) =>
      bounds.map(({ policy, scope, limit, headroom }) =>
        [field, policy, scope, limit, headroom ?? '-'].join(' | '),
      ),
    );
    expect(lines).toEqual([
      'templateRef.name | allowedTemplates | cluster | py | -',
      'image.repository | approvedRegistries | cluster | ghcr.io/acme, docker.io | -',
      'image.repository | approvedRegistries | namespace | ghcr.io/acme | -',
      'resources.limits.cpu | maxCpu | cluster | 4 | 1500m',
      'resources.limits.memory | maxMemory | namespace | 6Gi | -1Gi',
      'storage.size | maxStorage | namespace | 50Gi | 30Gi',
      'timeout | maxTimeout | cluster | 8h | 6h',
      'sidecars[db] | approvedRegistries | cluster | ghcr.io/acme, docker.io | -',
      'sidecars[db] | approvedRegistries | namespace | ghcr.io/acme | -',
      'runtimeClass | requiredRuntimeClass | cluster | gvisor | -',
    ]);
    expect(fields.at(-1)).toMatchObject({ field: 'runtimeClass', origin: 'not set' });
  });

  it('tells no policy from an unreadable one', () => {
    expect(explained({})).toMatchObject({ policiesKnown: true, usage: [] });
    const blind = explainSandbox(sandbox, { policies: undefined, users: 'all' });
    expect(blind).toMatchObject({ policiesKnown: false, usage: [], chain: ['ClusterSandboxTemplate/py'] });
    expect(blind?.fields.every(({ bounds }) => bounds.length === 0)).toBe(true);
  });

  it('has nothing to say about what admission has not seen', () => {
    expect(explained({}, { metadata: { name: 'x' }, spec: {} })).toBeUndefined();
  });
});

describe('explainTemplate', () => {
  it('merges the chain and holds it against the policies', () => {
    const chain = [
      { kind: 'ClusterSandboxTemplate', metadata: { name: 'base' }, spec: { storage: { size: '60Gi' } } },
      {
        kind: 'SandboxTemplate',
        metadata: { name: 'py', namespace: 'team' },
        spec: { storage: { mountPath: '/w' } },
      },
    ] as const;
    const context = { policies: { local: { spec: local } }, users: 'all' } as const;
    const explanation = explainTemplate(chain, 'team', context);
    expect(explanation).toMatchObject({
      kind: 'SandboxTemplate',
      name: 'py',
      namespace: 'team',
      chain: ['ClusterSandboxTemplate/base', 'SandboxTemplate/team/py'],
    });
    expect(explanation.fields[0]).toEqual({
      field: 'storage.size',
      value: '60Gi',
      origin: 'ClusterSandboxTemplate/base',
      bounds: [{ policy: 'maxStorage', scope: 'namespace', limit: '50Gi', headroom: '-10Gi' }],
    });
  });
});

describe('effectiveView', () => {
  it('flattens for clients and keeps every scope in the fields', () => {
    const specs = {
      cluster: { ...cluster, maxSandboxesTotal: 100, total: { cpu: '50' } },
      local: { ...local, maxSandboxesTotal: 5 },
    };
    const view = effectiveView('team', effectivePolicy(specs.cluster, specs.local), specs);
    expect(view.namespace).toBe('team');
    expect(view.policy).toMatchObject({
      maxCpu: '4',
      maxMemory: '6Gi',
      maxStorage: '50Gi',
      approvedRegistries: ['ghcr.io/acme'],
      allowedTemplates: ['py'],
      maxSandboxesTotal: 5,
      total: { cpu: '50' },
    });
    const texts = view.fields.map(({ field, scope, value }) => `${field} ${scope} ${JSON.stringify(value)}`);
    expect(texts).toEqual(
      expect.arrayContaining([
        'maxMemory namespace "6Gi"',
        'maxCpu cluster "4"',
        'approvedRegistries cluster ["ghcr.io/acme","docker.io"]',
        'approvedRegistries namespace ["ghcr.io/acme"]',
        'maxSandboxesTotal cluster 100',
        'maxSandboxesTotal namespace 5',
        'total.cpu cluster "50"',
      ]),
    );
  });

  it('is empty without policies', () => {
    expect(effectiveView('x', effectivePolicy(), {})).toEqual({ namespace: 'x', policy: {}, fields: [] });
  });
});

describe('usageOf', () => {
  const status = {
    used: { sandboxes: 3, cpu: '3500m', memory: '5Gi', perUser: { ann: 2, bob: 1 }, gadgets: 7 },
  } as unknown as PolicyStatus;
  const spec: PolicySpec = {
    maxSandboxesTotal: 10,
    maxSandboxesPerUser: 2,
    total: { cpu: '4', storage: '1Ti' },
  };

  it('prints what is limited or counted', () => {
    expect(usageOf({ scope: 'namespace', namespace: 'team', spec, status }, 'all')).toEqual({
      scope: 'namespace',
      namespace: 'team',
      counted: true,
      rows: [
        { dimension: 'sandboxes', used: 3, limit: 10, left: 7 },
        { dimension: 'cpu', used: '3500m', limit: '4', left: '500m' },
        { dimension: 'memory', used: '5Gi' },
        { dimension: 'storage', used: 0, limit: '1Ti', left: '1Ti' },
        { dimension: 'gadgets', used: 7 },
        { dimension: 'sandboxes', user: 'ann', used: 2, limit: 2, left: 0 },
        { dimension: 'sandboxes', user: 'bob', used: 1, limit: 2, left: 1 },
      ],
    });
  });

  it('counts what is reserved as taken', () => {
    const reservations = {
      a: { user: 'ann', cpu: '250m', memory: '1Gi' },
      'b.3': { user: 'ann', generation: 3, cpu: '250m' },
    };
    const { rows } = usageOf(
      { scope: 'namespace', spec, status: { ...status, reservations } },
      { sub: 'ann' },
    );
    expect(rows).toEqual(
      expect.arrayContaining([
        { dimension: 'sandboxes', used: 3, reserved: 1, limit: 10, left: 6 },
        { dimension: 'cpu', used: '3500m', reserved: '500m', limit: '4', left: '0' },
        { dimension: 'memory', used: '5Gi', reserved: '1Gi' },
        { dimension: 'sandboxes', user: 'ann', used: 2, reserved: 1, limit: 2, left: -1 },
      ]),
    );
  });

  it('shows a person nobody else', () => {
    const { rows } = usageOf({ scope: 'cluster', spec, status }, { sub: 'eve' });
    expect(rows.filter(({ user }) => user !== undefined)).toEqual([
      { dimension: 'sandboxes', user: 'eve', used: 0, limit: 2, left: 2 },
    ]);
  });

  it('says when nobody has counted', () => {
    expect(usageOf({ scope: 'cluster', spec: { maxCpu: '4' } }, 'all')).toEqual({
      scope: 'cluster',
      counted: false,
      rows: [],
    });
  });
});

describe('quantityText', () => {
  it.each([
    [1500n, '4', '1500m'],
    [2000n, '4', '2'],
    [0n, '4Gi', '0'],
    [1024n ** 3n * 1000n, '8Gi', '1Gi'],
    [-(1024n ** 2n) * 1000n, '8Gi', '-1Mi'],
    [1_000_000n * 1000n, '8Gi', '1000000'],
  ])('%d like %s', (value, like, text) => expect(quantityText(value, like)).toBe(text));
});
