// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '../data/sandboxes.ts';

/** A small world for examples: what a server of it answers, by `METHOD path`. Nothing in it changes. */

const sandbox = (name: string, change: Partial<Sandbox> = {}): Sandbox => ({
  sandboxId: name,
  podName: name,
  pvcName: `${name}-workspace`,
  name,
  namespace: 'team',
  status: 'Running',
  templateRef: 'minimal-shell',
  mode: 'code',
  createdAt: '2026-01-01T00:00:00Z',
  message: '',
  desiredState: 'Running',
  createdBy: { sub: 'ann', email: 'ann@example.com', displayName: 'Ann' },
  ...change,
});

export const SANDBOX = sandbox('notebook');

const SANDBOXES = [
  SANDBOX,
  sandbox('review', { status: 'Stopped', desiredState: 'Stopped' }),
  sandbox('training', { status: 'Error', message: 'The image cannot be pulled.' }),
];

const TEMPLATE = {
  name: 'minimal-shell',
  description: 'A shell',
  image: 'sandbox-minimal',
  resourceVersion: '1',
  spec: { description: 'A shell', resources: { limits: { cpu: '1' } } },
};

const spread = (p50_ms: number) => ({ count: 5, p50_ms, p95_ms: p50_ms * 2, p99_ms: p50_ms * 4 });
const starts = (p50_ms: number) => ({ ...spread(p50_ms), phases: { connect: spread(p50_ms / 2) } });

const USAGE = {
  total_sandboxes: 3,
  status_breakdown: { Running: 1, Stopped: 1, Error: 1 },
  template_breakdown: { 'minimal-shell': 3 },
  avg_startup_ms: 900,
  startup_sample_count: 15,
  startup: { warm: starts(200), cold: starts(1800), resume: starts(700) },
};

const cost = { hourly_cost: 0.042, cost_to_date: 12.5, count: 3 };
const COSTS = {
  currency: 'EUR',
  rates: { cpu_hour: 0.04, memory_gib_hour: 0.005, storage_gib_month: 0.1 },
  running_sandboxes: 1,
  stopped_sandboxes: 1,
  total_hourly_compute: 0.084,
  total_hourly_storage: 0.001,
  total_estimated_monthly: 62.05,
  total_cost_to_date: 12.5,
  per_template: [{ template: 'minimal-shell', ...cost }],
  per_user: [{ user: 'ann@example.com', ...cost }],
  per_namespace: [{ namespace: 'team', ...cost }],
};

const room = (cpuMillis: number, gib: number) => ({
  allocatable: { cpuMillis: 4000, memBytes: 8 * 1024 ** 3 },
  requests: { cpuMillis, memBytes: gib * 1024 ** 3 },
});

const POOL = {
  name: 'shells',
  namespace: 'team',
  template: 'minimal-shell',
  desiredCount: 2,
  readyCount: 1,
  pendingCount: 1,
  failedCount: 0,
  claimedTotal: 7,
  missTotal: 3,
  resourceVersion: '5',
  spec: { templateRef: { name: 'minimal-shell' }, replicas: 2 },
};

const event = (id: string, eventType: string) => ({
  id,
  timestamp: '2026-01-01T00:00:00Z',
  eventType,
  sandboxId: 'notebook',
  sandboxName: 'notebook',
  namespace: 'team',
  userEmail: 'ann@example.com',
  user: 'ann',
  outcome: 'allowed',
  resource: 'Sandbox',
  name: 'notebook',
  sourceIp: '',
  details: {},
});

const file = (name: string, size: number, isDir = false) => ({
  name,
  type: isDir ? 'dir' : 'file',
  size,
  isDir,
  mode: isDir ? 'drwxr-xr-x' : '-rw-r--r--',
  permissions: isDir ? '0755' : '0644',
  modifiedAt: 1_790_000_000,
});

const WEBHOOK = {
  id: 'w1',
  url: 'https://hooks.example.com/in',
  eventTypes: ['sandbox.error'],
  createdAt: '2026-01-01T00:00:00Z',
  disabled: false,
  scope: 'Own',
  namespace: 'team',
};

const OF_SANDBOX = {
  '': SANDBOX,
  '/why': { text: 'Sandbox notebook is Running: it can be used.' },
  '/explain': {
    chain: ['ClusterSandboxTemplate/minimal-shell'],
    policiesKnown: true,
    fields: [
      { field: 'timeout', value: '8h', origin: 'ClusterSandboxTemplate/minimal-shell', bounds: [] },
      {
        field: 'resources.limits.cpu',
        value: '2',
        origin: 'default',
        bounds: [{ policy: 'maxCpu', scope: 'cluster', limit: '4' }],
      },
    ],
  },
  '/files': { path: '/workspace', entries: [file('src', 0, true), file('notes.txt', 1200)] },
  '/ports': { ports: [{ port: 3000, protocol: 'http', previewUrl: 'https://preview.example.com/' }] },
  '/ports/listening': { ports: [{ port: 5173, addresses: ['127.0.0.1'], command: 'node' }] },
  '/share': {
    users: [{ identity: 'bob@example.com', level: 'viewer' }],
    groups: [],
    shareLinks: [{ id: 'abc', level: 'viewer', expiresAt: null, maxUses: 3, usedCount: 1 }],
  },
  '/backups': {
    backups: [
      { name: 'monday', createdAt: '2026-01-05T00:00:00Z', kind: 'backup', readyToUse: true, quiesced: true },
    ],
  },
};

export const ANSWERS: Readonly<Record<string, object>> = {
  ...Object.fromEntries(
    Object.entries(OF_SANDBOX).map(([path, answer]) => [`GET /sandboxes/notebook${path}`, answer]),
  ),
  'GET /sandboxes': { sandboxes: SANDBOXES },
  'GET /templates': { templates: [TEMPLATE] },
  'GET /templates/minimal-shell': TEMPLATE,
  'GET /user/me': { sub: 'ann', email: 'ann@example.com', name: 'Ann', groups: [], isAdmin: true },
  'GET /user/preferences': {},
  'GET /user/api-keys': {
    keys: [{ id: 'k1', name: 'laptop', createdAt: '2026-01-01T00:00:00Z', owner: 'ann' }],
  },
  'GET /auth/config': { mode: 'keys' },
  'GET /cluster/status': {
    nodes: 2,
    nodesReady: 2,
    pods: 14,
    sandboxPods: 3,
    headroomReady: 2,
    autoscalerEnabled: false,
    sandboxes: 3,
    sandboxesRunning: 1,
    warmPods: 1,
  },
  'GET /warmpool/status': { pools: [POOL] },
  'GET /warmpools': { pools: [POOL] },
  'GET /cluster/headroom': { replicas: 3, cpu: '500m', memory: '1Gi', readyReplicas: 2, enabled: true },
  'GET /cluster/nodes': {
    nodes: [
      { name: 'node-a', ready: true, instanceType: 'large', nodeGroup: 'blue', ...room(1000, 4) },
      { name: 'node-b', ready: true, ...room(3800, 7) },
    ],
    summary: { ready: 2, total: 2, cpuSaturationPct: 60, memSaturationPct: 69, ...room(2400, 6) },
  },
  'GET /analytics/usage': USAGE,
  'GET /analytics/costs': COSTS,
  'GET /audit/events': { events: [event('2', 'SandboxStarted'), event('1', 'SandboxCreated')] },
  'GET /governance/policies': { cluster: { maxCpu: '4' }, clusterVersion: '1', namespaces: [] },
  'GET /governance/effective': {
    namespace: 'team',
    policy: {},
    fields: [{ field: 'maxCpu', value: '4', scope: 'cluster' }],
  },
  'GET /governance/usage': {
    scopes: [{ scope: 'cluster', counted: true, rows: [{ dimension: 'sandboxes', used: 3, limit: 10 }] }],
  },
  'GET /webhooks': { webhooks: [WEBHOOK] },
  'GET /webhooks/w1/deliveries': { deliveries: [] },
};
