// SPDX-License-Identifier: Apache-2.0
import { asWhole, inPath, inQuery, text } from '../argument.ts';
import type { Tool } from '../tool.ts';

const NAMESPACE = inQuery('namespace', text('namespace; that of the installation when left out'));
const OF_NAMESPACE = inPath('namespace', text('namespace that the policy is of'));
const POLICY = asWhole({
  type: 'object',
  description:
    'the whole policy: maxCpu, maxMemory, maxTimeout, allowedTemplates, approvedRegistries, maxSandboxesPerUser...; what is left out sets no limit',
});

export const GOVERNANCE_TOOLS: readonly Tool[] = [
  {
    name: 'governance_effective_policy',
    description: 'Show the limits in force in a namespace: those of cluster and namespace together.',
    effect: 'read',
    method: 'GET',
    path: '/governance/effective',
    arguments: { namespace: NAMESPACE },
    answer: 'json',
  },
  {
    name: 'governance_usage',
    description: 'Show how much of its limits a namespace uses, and what is left.',
    effect: 'read',
    method: 'GET',
    path: '/governance/usage',
    arguments: { namespace: NAMESPACE },
    answer: 'json',
  },
  {
    name: 'governance_list_policies',
    description: 'Show the policy of the cluster and those of namespaces.',
    effect: 'read',
    method: 'GET',
    path: '/governance/policies',
    arguments: {},
    answer: 'json',
  },
  {
    name: 'governance_get_policy',
    description: 'Show the policy of a namespace; empty where it has none.',
    effect: 'read',
    method: 'GET',
    path: '/governance/policies/:namespace',
    arguments: { namespace: OF_NAMESPACE },
    answer: 'json',
  },
  {
    name: 'governance_set_policy',
    description: 'Replace the policy of a namespace. For administrators.',
    effect: 'destroy',
    idempotent: true,
    method: 'PUT',
    path: '/governance/policies/:namespace',
    arguments: { namespace: OF_NAMESPACE, policy: POLICY },
    answer: 'json',
  },
  {
    name: 'governance_set_cluster_policy',
    description: 'Replace the policy of the whole cluster. For administrators.',
    effect: 'destroy',
    idempotent: true,
    method: 'PUT',
    path: '/governance/policies',
    arguments: { policy: POLICY },
    answer: 'json',
  },
  {
    name: 'governance_delete_policy',
    description: 'Take the policy of a namespace away. For administrators.',
    effect: 'destroy',
    idempotent: true,
    method: 'DELETE',
    path: '/governance/policies/:namespace',
    arguments: { namespace: OF_NAMESPACE },
    answer: 'nothing',
  },
];
