// SPDX-License-Identifier: Apache-2.0
import type { Template } from '@agenttier/client';
import { ago } from './answers.ts';
import type { Answers } from './answers.ts';

const template = (name: string, description: string, spec: Template['spec'] = {}): Template => ({
  name,
  description,
  image: 'registry.example.com/approved/shell:12',
  resourceVersion: '7',
  spec: { description, image: { repository: 'registry.example.com/approved/shell', tag: '12' }, ...spec },
});

const TEMPLATES: readonly Template[] = [
  template('a-template-with-a-name-that-says-everything', 'Everything that the tests of a whole night need'),
  template('coding-agent', 'An agent that writes code', { mode: 'agent', inherits: 'minimal-shell' }),
  template('minimal-shell', 'A shell and nothing else', {
    resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { cpu: '1', memory: '1Gi' } },
    idleTimeout: '1h',
  }),
  { ...template('python-data', 'Notebooks with the usual libraries'), namespace: 'team-a' },
];

const pool = (name: string, template: string) => ({
  name,
  namespace: 'team-a',
  template,
  desiredCount: 4,
  readyCount: 3,
  pendingCount: 1,
  failedCount: 0,
  claimedTotal: 212,
  missTotal: 9,
  resourceVersion: '4',
  spec: { templateRef: { name: template }, replicas: 4 },
});

const POOLS = [
  pool('shells', 'minimal-shell'),
  {
    ...pool('agents-of-the-whole-department', 'coding-agent'),
    readyCount: 0,
    failedCount: 2,
    reason: 'ImagePullBackOff',
    message: 'The image registry.example.com/team/tools:17 cannot be pulled: it is not there.',
    spec: {
      templateRef: { name: 'coding-agent' },
      replicas: 4,
      autoscale: { min: 2, max: 10 },
    },
  },
];

/** Templates and pools, and what belongs to whoever is signed in. */
export const ACCOUNT: Answers = {
  signInConfig: { mode: 'keys' },
  currentUser: {
    sub: 'ann',
    email: 'ann@example.com',
    name: 'Ann Example',
    groups: ['platform'],
    isAdmin: true,
  },
  getPreferences: {},
  listTemplates: { templates: TEMPLATES },
  getTemplate: TEMPLATES[2] as Template,
  listWarmPools: { pools: POOLS },
  warmPoolStatus: { pools: POOLS },
  listApiKeys: {
    keys: [
      { id: 'k1', userId: 'ann', name: 'laptop', createdAt: ago(60 * 24 * 30) },
      {
        id: 'k2',
        userId: 'ann',
        name: 'a key of the nightly regression tests',
        sandboxId: 'training-run',
        namespace: 'team-a',
        actionGroups: ['run-command', 'files:read'],
        createdAt: ago(60 * 2),
        expiresAt: ago(-60 * 24 * 7),
      },
    ],
  },
  listWebhooks: {
    webhooks: [
      {
        id: 'w1',
        url: 'https://hooks.example.com/agenttier/a-path-that-is-so-long-that-it-wraps?team=platform',
        eventTypes: ['sandbox.error', 'sandbox.stopped'],
        createdAt: ago(60 * 24 * 2),
        disabled: false,
        scope: 'Own',
        namespace: 'team-a',
      },
      {
        id: 'w2',
        url: 'https://old.example.com/hook',
        eventTypes: [],
        createdAt: ago(60 * 24 * 90),
        disabled: true,
        disabledReason: '20 posts have failed one after the other',
        scope: 'Cluster',
        namespace: 'team-a',
      },
    ],
  },
  listDeliveries: {
    deliveries: [
      {
        id: 'd2',
        eventType: 'sandbox.stopped',
        timestamp: ago(3),
        statusCode: 200,
        attempt: 1,
        success: true,
      },
      {
        id: 'd1',
        eventType: 'sandbox.error',
        timestamp: ago(9),
        attempt: 3,
        success: false,
        error: 'timed out',
      },
    ],
  },
};
