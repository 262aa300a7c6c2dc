// SPDX-License-Identifier: Apache-2.0
import type { EffectiveView } from '@agenttier/crds/explain/effectiveView';
import type { PolicyUsage } from '@agenttier/crds/explain/usage';
import { ago } from './answers.ts';
import type { Answers } from './answers.ts';

const spread = (p50: number) => ({ count: 41, p50_ms: p50, p95_ms: p50 * 2.1, p99_ms: p50 * 3 });

const cost = (hourly: number, count: number) => ({ hourly_cost: hourly, cost_to_date: hourly * 61, count });

type AuditEvent = NonNullable<Answers['listAuditEvents']>['events'][number];

const event = (id: number, eventType: string, change: Partial<AuditEvent> = {}): AuditEvent => ({
  id: `e${id}`,
  timestamp: ago(id * 7),
  eventType,
  sandboxId: 'training-run',
  sandboxName: 'training-run',
  namespace: 'team-a',
  userEmail: 'ann@example.com',
  user: 'ann',
  outcome: 'success',
  resource: 'Sandbox',
  name: 'training-run',
  sourceIp: '10.0.0.7',
  details: { reason: '' },
  ...change,
});

const EFFECTIVE: EffectiveView = {
  namespace: 'team-a',
  policy: { maxCpu: '8' },
  fields: [
    { field: 'maxCpu', value: '8', scope: 'namespace' },
    { field: 'maxMemory', value: '32Gi', scope: 'cluster' },
    {
      field: 'approvedRegistries',
      value: ['registry.example.com/approved', 'ghcr.io/acme'],
      scope: 'cluster',
    },
    { field: 'maxSandboxesTotal', value: 20, scope: 'namespace' },
  ],
};

const USAGE: { readonly scopes: readonly PolicyUsage[] } = {
  scopes: [
    {
      scope: 'cluster',
      counted: true,
      rows: [
        { dimension: 'sandboxes', used: 48, limit: 100, left: 52 },
        { dimension: 'cpu', used: '61', limit: '64', left: '3' },
        { dimension: 'memory', used: '120Gi' },
      ],
    },
    {
      scope: 'namespace',
      namespace: 'team-a',
      counted: true,
      rows: [
        { dimension: 'sandboxes', used: 20, limit: 20, left: 0 },
        { dimension: 'sandboxes', user: 'ann', used: 2, limit: 5, left: 3 },
      ],
    },
  ],
};

const node = (index: number, ready: boolean) => ({
  name: `ip-10-0-${index}-17.eu-central-1.compute.internal`,
  ready,
  instanceType: 'm7g.2xlarge',
  nodeGroup: 'sandboxes',
  allocatable: { cpuMillis: 7910, memBytes: 30.4 * 2 ** 30 },
  requests: { cpuMillis: 2600 * index, memBytes: 8.6 * index * 2 ** 30 },
});

/** What administrators see of a cluster in use. */
export const CLUSTER: Answers = {
  clusterStatus: {
    nodes: 3,
    nodesReady: 2,
    pods: 61,
    sandboxPods: 48,
    headroomReady: 2,
    autoscalerEnabled: true,
    sandboxes: 57,
    sandboxesRunning: 48,
    warmPods: 4,
  },
  listNodes: {
    nodes: [node(1, true), node(2, true), node(3, false)],
    summary: {
      ready: 2,
      total: 3,
      cpuSaturationPct: 66,
      memSaturationPct: 57,
      allocatable: { cpuMillis: 23_730, memBytes: 91.2 * 2 ** 30 },
      requests: { cpuMillis: 15_600, memBytes: 51.6 * 2 ** 30 },
    },
  },
  usageAnalytics: {
    total_sandboxes: 57,
    status_breakdown: { Running: 48, Stopped: 7, Error: 1, Creating: 1 },
    template_breakdown: { 'minimal-shell': 31, 'coding-agent': 19, 'python-data': 6, _none: 1 },
    avg_startup_ms: 2140,
    startup_sample_count: 123,
    startup: {
      warm: { ...spread(240), phases: { Claim: spread(80), Ready: spread(160) } },
      cold: { ...spread(4300), phases: { Schedule: spread(300), Pull: spread(2900), Ready: spread(1100) } },
      resume: { ...spread(2600), phases: { Schedule: spread(300), Ready: spread(2300) } },
    },
  },
  costAnalytics: {
    currency: 'EUR',
    rates: { cpu_hour: 0.04, memory_gib_hour: 0.005, storage_gib_month: 0.1 },
    running_sandboxes: 48,
    stopped_sandboxes: 7,
    total_hourly_compute: 3.12,
    total_hourly_storage: 0.0834,
    total_estimated_monthly: 2338.41,
    total_cost_to_date: 10_411.9,
    per_template: [
      { template: 'coding-agent', ...cost(2.1, 19) },
      { template: 'minimal-shell', ...cost(0.92, 31) },
    ],
    per_user: [
      { user: 'ann@example.com', ...cost(2.4, 30) },
      { user: 'bo.with.a.long.name@engineering.example.com', ...cost(0.72, 25) },
    ],
    per_namespace: [
      { namespace: 'team-a', ...cost(2.9, 50) },
      { namespace: 'department-of-platform-engineering-emea1', ...cost(0.22, 5) },
    ],
  },
  listAuditEvents: {
    events: [
      event(1, 'ExecRun'),
      event(2, 'TerminalOpened'),
      event(3, 'SandboxCreated', {
        outcome: 'refused',
        details: {
          reason: 'spec.resources.limits.cpu is 64, the policy allows 8 at most',
          code: 'policy_violation',
        },
      }),
      event(4, 'FilesWritten', { userEmail: 'bo.with.a.long.name@engineering.example.com', user: 'bo' }),
      event(5, 'SandboxStopped', { userEmail: '', user: '', details: { reason: 'not used for 1 h' } }),
      event(6, 'PolicyChanged', {
        resource: 'NamespacePolicy',
        name: 'team-a',
        sandboxId: '',
        sandboxName: '',
      }),
    ],
    continue: 'more',
  },
  listPolicies: {
    cluster: {
      maxCpu: '16',
      maxMemory: '32Gi',
      approvedRegistries: ['registry.example.com/approved', 'ghcr.io/acme'],
    },
    clusterVersion: '12',
    namespaces: [
      { namespace: 'team-a', policy: { maxCpu: '8', maxSandboxesTotal: 20 }, resourceVersion: '7' },
      {
        namespace: 'department-of-platform-engineering-emea1',
        policy: { maxCpu: '2' },
        resourceVersion: '3',
      },
    ],
  },
  effectivePolicy: { ...EFFECTIVE },
  policyUsage: { ...USAGE },
  getHeadroom: { replicas: 3, cpu: '2', memory: '4Gi', readyReplicas: 2, enabled: true },
};
