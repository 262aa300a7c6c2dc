// SPDX-License-Identifier: Apache-2.0

/** Address of a kind in the API: what a client needs to build its URLs. */
export interface KindResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const agenttier = { group: 'agenttier.io', version: 'v1alpha1' } as const;

export const SANDBOXES = { ...agenttier, plural: 'sandboxes', kind: 'Sandbox', namespaced: true } as const;
export const SANDBOX_TEMPLATES = {
  ...agenttier,
  plural: 'sandboxtemplates',
  kind: 'SandboxTemplate',
  namespaced: true,
} as const;
export const CLUSTER_SANDBOX_TEMPLATES = {
  ...agenttier,
  plural: 'clustersandboxtemplates',
  kind: 'ClusterSandboxTemplate',
  namespaced: false,
} as const;
export const GOVERNANCE_POLICIES = {
  ...agenttier,
  plural: 'governancepolicies',
  kind: 'GovernancePolicy',
  namespaced: true,
} as const;
export const CLUSTER_GOVERNANCE_POLICIES = {
  ...agenttier,
  plural: 'clustergovernancepolicies',
  kind: 'ClusterGovernancePolicy',
  namespaced: false,
} as const;
export const SANDBOX_WARM_POOLS = {
  ...agenttier,
  plural: 'sandboxwarmpools',
  kind: 'SandboxWarmPool',
  namespaced: true,
} as const;

export const WEBHOOK_SUBSCRIPTIONS = {
  ...agenttier,
  plural: 'webhooksubscriptions',
  kind: 'WebhookSubscription',
  namespaced: true,
} as const;

export const ALL_RESOURCES: readonly KindResource[] = [
  SANDBOXES,
  SANDBOX_TEMPLATES,
  CLUSTER_SANDBOX_TEMPLATES,
  GOVERNANCE_POLICIES,
  CLUSTER_GOVERNANCE_POLICIES,
  SANDBOX_WARM_POOLS,
  WEBHOOK_SUBSCRIPTIONS,
];

/** Name of the one policy object of each scope. */
export const POLICY_NAME = 'default';
