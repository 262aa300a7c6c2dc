// SPDX-License-Identifier: Apache-2.0
import type { FileEntry, Sandbox } from '@agenttier/client';
import { ago } from './answers.ts';
import type { Answers } from './answers.ts';

const PEOPLE = {
  ann: { sub: 'ann', email: 'ann@example.com', displayName: 'Ann Example' },
  bo: { sub: 'bo', email: 'bo.with.a.long.name@engineering.example.com', displayName: '' },
} as const;

const sandbox = (name: string, change: Partial<Sandbox> = {}): Sandbox => ({
  sandboxId: name,
  name,
  namespace: 'team-a',
  status: 'Running',
  podName: `${name}-0`,
  pvcName: `${name}-workspace`,
  templateRef: 'minimal-shell',
  mode: 'code',
  createdAt: ago(90),
  message: '',
  desiredState: 'Running',
  createdBy: PEOPLE.ann,
  lastActivityAt: ago(4),
  ...change,
});

/** One of each state, and names as long as they may be. */
export const SANDBOXES: readonly Sandbox[] = [
  sandbox('training-run'),
  sandbox('payments-agent', { mode: 'agent', templateRef: 'coding-agent', createdAt: ago(3) }),
  sandbox('notebook', {
    templateRef: 'python-data',
    stopWarning: {
      reason: 'Idle',
      deadline: ago(-5),
      message: 'Not used for 55 minutes: it is stopped in 5 minutes.',
    },
    createdAt: ago(60 * 26),
  }),
  sandbox('starting', { status: 'Creating', createdAt: ago(0) }),
  sandbox('broken-image', {
    status: 'Error',
    createdAt: ago(12),
    reason: 'ImagePullBackOff',
    message: 'The image registry.example.com/team/tools:17 cannot be pulled: it is not there.',
    createdBy: PEOPLE.bo,
  }),
  sandbox('last-weeks-experiment', {
    status: 'Stopped',
    desiredState: 'Stopped',
    createdAt: ago(60 * 24 * 7),
    lastActivityAt: ago(60 * 24 * 3),
  }),
  sandbox('nightly-regression-of-the-payments-service-eu-central-production', {
    namespace: 'department-of-platform-engineering-emea1',
    templateRef: 'a-template-with-a-name-that-says-everything',
    createdBy: PEOPLE.bo,
    createdAt: ago(60 * 24 * 40),
  }),
  sandbox('going-away', { status: 'Deleting', desiredState: 'Stopped', createdAt: ago(300) }),
];

const entry = (name: string, change: Partial<FileEntry> = {}): FileEntry => ({
  name,
  type: 'file',
  size: 1834,
  isDir: false,
  mode: '-rw-r--r--',
  permissions: '0644',
  modifiedAt: Date.parse(ago(50)) / 1000,
  ...change,
});

const folder = (name: string): FileEntry =>
  entry(name, { type: 'dir', isDir: true, size: 4096, mode: 'drwxr-xr-x', permissions: '0755' });

const LISTING: Answers['listFiles'] = {
  path: '/workspace',
  entries: [
    folder('.git'),
    folder('src'),
    folder('test-results'),
    entry('README.md'),
    entry('a-dataset-with-a-name-that-goes-on-and-on-until-nobody-reads-it.parquet', { size: 734_003_200 }),
    entry('deploy.sh', { size: 612, mode: '-rwxr-xr-x', permissions: '0755' }),
    entry('latest', { type: 'symlink', size: 12, target: 'test-results' }),
    entry('package.json', { size: 1420 }),
  ],
};

const TEMPLATE = 'ClusterSandboxTemplate/minimal-shell';

const EXPLANATION: Answers['explainSandbox'] = {
  chain: [TEMPLATE],
  policiesKnown: true,
  fields: [
    {
      field: 'timeout',
      value: '8h',
      origin: TEMPLATE,
      bounds: [{ policy: 'maxTimeout', scope: 'cluster', limit: '12h' }],
    },
    { field: 'idleTimeout', value: '1h', origin: TEMPLATE, bounds: [] },
    {
      field: 'resources.limits.cpu',
      value: '2',
      origin: 'Sandbox',
      bounds: [{ policy: 'maxCpu', scope: 'namespace', limit: '8' }],
    },
    { field: 'resources.limits.memory', value: '1Gi', origin: TEMPLATE, bounds: [] },
    { field: 'network.allowInternet', value: false, origin: 'default', bounds: [] },
    {
      field: 'network.allowedDomains',
      value: ['registry.example.com', 'packages.example.com'],
      origin: TEMPLATE,
      bounds: [],
    },
  ],
};

/** All that is asked about the sandbox `training-run`. */
export const OF_ONE: Answers = {
  getSandbox: SANDBOXES[0] as Sandbox,
  whySandbox: {
    text: 'Sandbox training-run is Running: it can be used. It is stopped after 1 h without use, as the template minimal-shell says.',
  },
  explainSandbox: EXPLANATION,
  listFiles: LISTING,
  listPorts: {
    ports: [
      { port: 3000, protocol: 'http', previewUrl: 'https://3000-training-run.preview.example.com/' },
      { port: 5432, protocol: 'tcp' },
    ],
  },
  listListeningPorts: {
    ports: [
      { port: 3000, addresses: ['0.0.0.0'], pid: 71, command: 'node' },
      { port: 8888, addresses: ['127.0.0.1'], pid: 90, command: 'jupyter-lab' },
    ],
  },
  getSharing: {
    users: [
      { identity: 'bo.with.a.long.name@engineering.example.com', level: 'viewer' },
      { identity: 'cy@example.com', level: 'collaborator', link: 'l1' },
    ],
    groups: [{ identity: 'platform-reviewers', level: 'viewer' }],
    shareLinks: [{ id: 'l1', level: 'collaborator', expiresAt: ago(-60 * 24), maxUses: 5, usedCount: 1 }],
  },
  listBackups: {
    backups: [
      { name: 'training-run-3', kind: 'backup', readyToUse: false, quiesced: true, createdAt: ago(1) },
      {
        name: 'training-run-2',
        kind: 'scheduled-backup',
        readyToUse: true,
        restoreSize: '10Gi',
        quiesced: true,
        createdAt: ago(60 * 20),
      },
      {
        name: 'training-run-1',
        kind: 'on-stop',
        readyToUse: false,
        quiesced: false,
        createdAt: ago(60 * 44),
        error: 'the storage driver has no room for it',
      },
    ],
  },
  showConfiguration: {
    state: 'Ready',
    reason: 'Installed',
    message: '',
    entrypoint: ['python', 'agent.py'],
    lastConfiguredAt: ago(70),
    maxConcurrentInvokes: 2,
  },
  listInvocations: {
    limit: 2,
    inflight: 1,
    invokes: [
      { invokeId: 'inv-2', startedAt: Date.parse(ago(1)) / 1000 },
      { invokeId: 'inv-1', startedAt: Date.parse(ago(30)) / 1000, reason: 'completed' },
    ],
  },
  createTerminalTicket: { ticket: 't', mode: 'control', expiresAt: ago(-1) },
};
