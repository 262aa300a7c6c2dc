// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec, PolicySpec, Resolved } from '../generated/types.ts';
import { VIOLATIONS, type Violation } from '../meta/violation.ts';
import { effectivePolicy } from './effective.ts';
import { evaluate } from './evaluate.ts';

type Chain = NonNullable<Resolved['chain']>;

const CLUSTER_TEMPLATE: Chain = [{ kind: 'ClusterSandboxTemplate', name: 'tools' }];
const TEAM_TEMPLATE: Chain = [
  { kind: 'ClusterSandboxTemplate', name: 'base' },
  { kind: 'SandboxTemplate', namespace: 'team-a', name: 'tools' },
];

interface Case {
  readonly name: string;
  readonly cluster?: PolicySpec;
  readonly namespace?: PolicySpec;
  readonly spec?: EffectiveSpec;
  readonly chain?: Chain;
  readonly expected: readonly Partial<Violation>[];
}

function judge({ cluster, namespace, spec = {}, chain = [] }: Case): readonly Violation[] {
  const policy = effectivePolicy(cluster, namespace);
  const resolved: Resolved = { hash: '', chain, spec };
  return evaluate({ namespace: 'team-a', spec: {}, resolved, policy }).violations;
}

const limits = (cpu?: string | number, memory?: string): EffectiveSpec => ({
  resources: {
    limits: { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) },
  },
});

describe('templates', () => {
  const bare = { allowedTemplates: ['tools'] };
  const cases: Case[] = [
    { name: 'a listed template of the cluster', cluster: bare, chain: CLUSTER_TEMPLATE, expected: [] },
    {
      name: 'a template of a namespace that took the listed name',
      cluster: bare,
      chain: TEAM_TEMPLATE,
      expected: [
        {
          code: 'template_not_allowed',
          actual: 'SandboxTemplate/team-a/tools',
          limit: 'tools',
          scope: 'cluster',
        },
      ],
    },
    {
      name: 'a plain name in the policy of the namespace',
      namespace: bare,
      chain: TEAM_TEMPLATE,
      expected: [],
    },
    {
      name: 'kind and name',
      cluster: { allowedTemplates: ['SandboxTemplate/tools'] },
      chain: TEAM_TEMPLATE,
      expected: [],
    },
    {
      name: 'namespace and name',
      cluster: { allowedTemplates: ['team-a/tools'] },
      chain: TEAM_TEMPLATE,
      expected: [],
    },
    {
      name: 'all three',
      cluster: { allowedTemplates: ['SandboxTemplate/team-a/tools'] },
      chain: TEAM_TEMPLATE,
      expected: [],
    },
    {
      name: 'another namespace',
      cluster: { allowedTemplates: ['team-b/tools'] },
      chain: TEAM_TEMPLATE,
      expected: [{ code: 'template_not_allowed', field: 'spec.templateRef.name' }],
    },
    {
      name: 'a parent that is listed does not help',
      cluster: { allowedTemplates: ['base'] },
      chain: TEAM_TEMPLATE,
      expected: [{ code: 'template_not_allowed' }],
    },
    {
      name: 'nor does a template whose parent is not listed, with checkChain',
      cluster: { allowedTemplates: ['SandboxTemplate/tools'], checkChain: true },
      chain: TEAM_TEMPLATE,
      expected: [
        { code: 'template_not_allowed', message: expect.stringContaining('inherits from') as string },
      ],
    },
    {
      name: 'all of the chain is listed',
      cluster: { allowedTemplates: ['SandboxTemplate/tools', 'base'], checkChain: true },
      chain: TEAM_TEMPLATE,
      expected: [],
    },
    {
      name: 'no template at all',
      cluster: bare,
      expected: [{ code: 'template_required', field: 'spec.templateRef.name' }],
    },
    {
      name: 'both policies',
      cluster: { allowedTemplates: ['other'] },
      namespace: { allowedTemplates: ['third'] },
      chain: CLUSTER_TEMPLATE,
      expected: [{ scope: 'cluster' }, { scope: 'namespace' }],
    },
  ];
  it.each(cases)('$name', (row) => {
    expect(judge(row)).toMatchObject(row.expected);
  });
});

describe('amounts', () => {
  const cases: Case[] = [
    {
      name: 'within',
      cluster: { maxCpu: '2', maxMemory: '4Gi' },
      spec: limits('2000m', '4096Mi'),
      expected: [],
    },
    {
      name: 'above',
      cluster: { maxCpu: '2', maxMemory: '4Gi' },
      spec: limits(4, '8Gi'),
      expected: [
        {
          code: 'cpu_limit_exceeded',
          field: 'spec.resources.limits.cpu',
          limit: '2',
          actual: '4',
          scope: 'cluster',
        },
        {
          code: 'memory_limit_exceeded',
          field: 'spec.resources.limits.memory',
          limit: '4Gi',
          actual: '8Gi',
          scope: 'cluster',
        },
      ],
    },
    {
      name: 'missing',
      namespace: { maxCpu: '2', maxMemory: '4Gi' },
      expected: [
        { code: 'cpu_limit_missing', field: 'spec.resources.limits.cpu', limit: '2', scope: 'namespace' },
        {
          code: 'memory_limit_missing',
          field: 'spec.resources.limits.memory',
          limit: '4Gi',
          scope: 'namespace',
        },
      ],
    },
    {
      name: 'requests are no limits',
      cluster: { maxCpu: '2' },
      spec: { resources: { requests: { cpu: '1' } } },
      expected: [{ code: 'cpu_limit_missing' }],
    },
    {
      name: 'sidecars add to the sandbox',
      cluster: { maxCpu: '2' },
      spec: {
        ...limits('1500m'),
        sidecars: [{ name: 'a', image: 'x', resources: { limits: { cpu: '600m' } } }],
      },
      expected: [{ code: 'cpu_limit_exceeded', actual: '1500m + 600m' }],
    },
    {
      name: 'a sidecar without a limit',
      cluster: { maxCpu: '2' },
      spec: { ...limits('1'), sidecars: [{ name: 'a', image: 'x' }] },
      expected: [{ code: 'cpu_limit_missing', field: 'spec.sidecars[0].resources.limits.cpu' }],
    },
    {
      name: 'storage within',
      cluster: { maxStorage: '10Gi' },
      spec: { storage: { size: '10Gi' } },
      expected: [],
    },
    {
      name: 'storage above',
      cluster: { maxStorage: '10Gi' },
      spec: { storage: { size: '11Gi' } },
      expected: [
        { code: 'storage_limit_exceeded', field: 'spec.storage.size', limit: '10Gi', actual: '11Gi' },
      ],
    },
    {
      name: 'a class that is listed',
      cluster: { allowedStorageClasses: ['fast'] },
      spec: { storage: { storageClass: 'fast' } },
      expected: [],
    },
    {
      name: 'a class that is not',
      cluster: { allowedStorageClasses: ['fast'] },
      spec: { storage: { storageClass: 'slow' } },
      expected: [
        {
          code: 'storage_class_not_allowed',
          field: 'spec.storage.storageClass',
          limit: 'fast',
          actual: 'slow',
        },
      ],
    },
    {
      name: 'no class',
      cluster: { allowedStorageClasses: ['fast'] },
      expected: [{ code: 'storage_class_not_allowed', actual: '' }],
    },
  ];
  it.each(cases)('$name', (row) => {
    const found = judge(row);
    expect(found).toMatchObject(row.expected);
    expect(found).toHaveLength(row.expected.length);
  });
});

describe('times', () => {
  const cluster = { maxTimeout: '8h', maxIdleTimeout: '1h' };
  const cases: Case[] = [
    { name: 'within', cluster, spec: { timeout: '8h', idleTimeout: '59m' }, expected: [] },
    {
      name: 'above',
      cluster,
      spec: { timeout: '24h', idleTimeout: '61m' },
      expected: [
        { code: 'timeout_exceeded', field: 'spec.timeout', limit: '8h', actual: '24h', scope: 'cluster' },
        {
          code: 'idle_timeout_exceeded',
          field: 'spec.idleTimeout',
          limit: '1h',
          actual: '61m',
          scope: 'cluster',
        },
      ],
    },
    {
      name: 'open, although the merge clamps it',
      cluster,
      spec: { timeout: '0' },
      expected: [
        { code: 'timeout_exceeded', actual: 'unlimited' },
        { code: 'idle_timeout_exceeded', actual: 'unlimited' },
      ],
    },
  ];
  it.each(cases)('$name', (row) => {
    const found = judge(row);
    expect(found).toMatchObject(row.expected);
    expect(found).toHaveLength(row.expected.length);
  });
});

describe('isolation', () => {
  const cluster = { allowInternet: false };
  const cases: Case[] = [
    {
      name: 'the required runtime class',
      cluster: { requiredRuntimeClass: 'gvisor' },
      spec: { runtimeClass: 'gvisor' },
      expected: [],
    },
    {
      name: 'another runtime class',
      cluster: { requiredRuntimeClass: 'gvisor' },
      spec: { runtimeClass: 'runc' },
      expected: [
        { code: 'runtime_class_required', field: 'spec.runtimeClass', limit: 'gvisor', actual: 'runc' },
      ],
    },
    {
      name: 'no runtime class',
      cluster: { requiredRuntimeClass: 'gvisor' },
      expected: [{ code: 'runtime_class_required' }],
    },
    { name: 'a closed network', cluster, spec: { network: { allowInternet: false } }, expected: [] },
    {
      name: 'the internet',
      cluster,
      spec: { network: { allowInternet: true } },
      expected: [
        { code: 'network_not_allowed', field: 'spec.network.allowInternet', limit: 'false', actual: 'true' },
      ],
    },
    {
      name: 'private ranges',
      cluster,
      spec: { network: { egressRules: [{ cidr: '10.1.0.0/16' }] } },
      expected: [],
    },
    {
      name: 'the internet by another name',
      cluster,
      spec: { network: { egressRules: [{ cidr: '10.0.0.0/8' }, { cidr: '0.0.0.0/0' }, { cidr: '::/0' }] } },
      expected: [
        { code: 'network_not_allowed', field: 'spec.network.egressRules[1].cidr', actual: '0.0.0.0/0' },
        { code: 'network_not_allowed', field: 'spec.network.egressRules[2].cidr', actual: '::/0' },
      ],
    },
  ];
  it.each(cases)('$name', (row) => {
    const found = judge(row);
    expect(found).toMatchObject(row.expected);
    expect(found).toHaveLength(row.expected.length);
  });
});

describe('warnings', () => {
  it.each([
    ['0.0.0.0/0', 1],
    ['169.254.0.0/16', 1],
    ['169.254.169.254/32', 1],
    ['fd00::/8', 1],
    ['10.0.0.0/8', 0],
    ['2001:db8::/32', 0],
  ])('of a rule for %s: %d', (cidr, count) => {
    const resolved: Resolved = {
      hash: '',
      spec: { network: { egressRules: [{ cidr: '10.0.0.0/8' }, { cidr }] } },
    };
    const { warnings } = evaluate({ namespace: 'a', spec: {}, resolved, policy: effectivePolicy() });
    expect(warnings).toHaveLength(count);
    for (const warning of warnings) {
      expect(warning).toContain('spec.network.egressRules[1].cidr');
      expect(warning.length).toBeLessThanOrEqual(120);
    }
  });
});

describe('all at once', () => {
  const everything: PolicySpec = {
    allowedTemplates: ['x'],
    approvedRegistries: ['ghcr.io'],
    maxCpu: '1',
    maxMemory: '1Gi',
    maxStorage: '1Gi',
    allowedStorageClasses: ['fast'],
    maxTimeout: '1h',
    maxIdleTimeout: '1h',
    requiredRuntimeClass: 'gvisor',
    allowInternet: false,
  };
  const found = judge({
    name: '',
    cluster: everything,
    spec: {
      ...limits(2, '2Gi'),
      image: { repository: 'nginx' },
      storage: { size: '2Gi' },
      network: { allowInternet: true },
    },
    expected: [],
  });

  it('every limit that is broken is listed once', () => {
    expect(found.map(({ code }) => code)).toEqual([
      'template_required',
      'image_registry_not_approved',
      'cpu_limit_exceeded',
      'memory_limit_exceeded',
      'storage_limit_exceeded',
      'storage_class_not_allowed',
      'timeout_exceeded',
      'idle_timeout_exceeded',
      'runtime_class_required',
      'network_not_allowed',
    ]);
  });

  it('with field, limit, scope and a sentence that names them', () => {
    for (const { field, limit, scope, message, code } of found) {
      expect(field).toMatch(/^spec\./);
      expect(limit).toBeTruthy();
      expect(scope).toBe('cluster');
      expect(message).toContain('cluster policy');
      expect(VIOLATIONS[code]).toBe(403);
    }
  });

  it('nothing is wrong without a policy', () => {
    expect(judge({ name: '', spec: { image: { repository: 'x' } }, expected: [] })).toEqual([]);
  });
});
