// SPDX-License-Identifier: Apache-2.0
import { ACCOUNT } from './account.ts';
import type { Answers } from './answers.ts';
import { CLUSTER } from './cluster.ts';
import { OF_ONE, SANDBOXES } from './sandboxes.ts';

export type { Answers } from './answers.ts';
export { ago, NOW } from './answers.ts';
export { SANDBOXES } from './sandboxes.ts';

/** A server in use: what it answers to each operation that pages ask for. */
export const IN_USE: Answers = {
  ...ACCOUNT,
  ...CLUSTER,
  ...OF_ONE,
  listSandboxes: { sandboxes: SANDBOXES },
};

/** A server that nobody has used yet. */
export const UNUSED: Answers = {
  ...IN_USE,
  listSandboxes: { sandboxes: [] },
  listTemplates: { templates: [] },
  listWarmPools: { pools: [] },
  listWebhooks: { webhooks: [] },
  listApiKeys: { keys: [] },
  listAuditEvents: { events: [] },
  listFiles: { path: '/workspace', entries: [] },
  listPorts: { ports: [] },
  listListeningPorts: { ports: [] },
  listBackups: { backups: [] },
  listPolicies: { cluster: null, namespaces: [] },
  getSharing: { users: [], groups: [], shareLinks: [] },
  getHeadroom: { replicas: 0, cpu: '', memory: '', readyReplicas: 0, enabled: false },
  policyUsage: { scopes: [] },
  listNodes: {
    nodes: [],
    summary: {
      ready: 0,
      total: 0,
      cpuSaturationPct: 0,
      memSaturationPct: 0,
      allocatable: { cpuMillis: 0, memBytes: 0 },
      requests: { cpuMillis: 0, memBytes: 0 },
    },
  },
};
