// SPDX-License-Identifier: Apache-2.0
import { inBody, inPath, inQuery, needed, text, texts, whole } from '../argument.ts';
import type { Tool } from '../tool.ts';

const NAMESPACE = inQuery('namespace', text('only those of this namespace'));
const WEBHOOK = inPath('webhook', text('id of the subscription, see webhook_list'));

/** The installation as a whole: pools, nodes, everybody's sandboxes, subscriptions. */
export const ADMINISTRATION_TOOLS: readonly Tool[] = [
  {
    name: 'warmpool_status',
    description: 'Show how full the warm pools are.',
    effect: 'read',
    method: 'GET',
    path: '/warmpool/status',
    arguments: { namespace: NAMESPACE },
    answer: 'json',
  },
  {
    name: 'warmpool_set_config',
    description: 'Make these the warm pools of a namespace; others of it are deleted. For administrators.',
    effect: 'destroy',
    idempotent: true,
    method: 'PUT',
    path: '/warmpool/config',
    arguments: {
      pools: needed(
        inBody('pools', {
          type: 'array',
          items: {
            type: 'object',
            properties: { template: { type: 'string' }, desiredCount: { type: 'integer' } },
            required: ['template', 'desiredCount'],
          },
          description: 'template and desiredCount (0 to 10) of each',
        }),
      ),
      namespace: inQuery('namespace', text('namespace of the pools')),
    },
    answer: 'json',
  },
  {
    name: 'cluster_status',
    description: 'Show the cluster at a glance: nodes, pods, sandboxes, placeholders.',
    effect: 'read',
    method: 'GET',
    path: '/cluster/status',
    arguments: {},
    answer: 'json',
  },
  {
    name: 'cluster_nodes',
    description: 'List the nodes with what there is and what pods have asked for. For administrators.',
    effect: 'read',
    method: 'GET',
    path: '/cluster/nodes',
    arguments: {},
    answer: 'json',
  },
  {
    name: 'cluster_get_headroom',
    description: 'Show the placeholders that keep room on the nodes.',
    effect: 'read',
    method: 'GET',
    path: '/cluster/headroom',
    arguments: {},
    answer: 'json',
  },
  {
    name: 'cluster_set_headroom',
    description: 'Change the number and size of the placeholders. For administrators.',
    effect: 'write',
    idempotent: true,
    method: 'PUT',
    path: '/cluster/headroom',
    arguments: {
      replicas: needed(inBody('replicas', whole('how many', 0, 50))),
      cpu: inBody('cpu', text('CPU of each, for instance "500m"')),
      memory: inBody('memory', text('memory of each, for instance "1Gi"')),
    },
    answer: 'json',
  },
  {
    name: 'analytics_usage',
    description: 'Count sandboxes by state and template, and tell how long starts took. For administrators.',
    effect: 'read',
    method: 'GET',
    path: '/analytics/usage',
    arguments: { namespace: NAMESPACE },
    answer: 'json',
  },
  {
    name: 'analytics_costs',
    description: 'Estimate what sandboxes cost. For administrators.',
    effect: 'read',
    method: 'GET',
    path: '/analytics/costs',
    arguments: { namespace: NAMESPACE },
    answer: 'json',
  },
  {
    name: 'audit_list_events',
    description:
      'Show who did what, the newest first: everything for administrators, for others what concerns them.',
    effect: 'read',
    method: 'GET',
    path: '/audit/events',
    arguments: { namespace: NAMESPACE, limit: inQuery('limit', whole('how many', 1, 1000)) },
    answer: 'json',
  },
  {
    name: 'admin_list_sandboxes',
    description: "List everybody's sandboxes, with the keys that are bound to each. For administrators.",
    effect: 'read',
    method: 'GET',
    path: '/admin/sandboxes',
    arguments: { namespace: NAMESPACE },
    answer: 'json',
  },
  {
    name: 'admin_sharing_overview',
    description: 'List the sandboxes that are shared, with whom and by which links. For administrators.',
    effect: 'read',
    method: 'GET',
    path: '/admin/sharing',
    arguments: { namespace: NAMESPACE },
    answer: 'json',
  },
];

/** What happens to sandboxes, told to an address. */
export const WEBHOOK_TOOLS: readonly Tool[] = [
  {
    name: 'webhook_create',
    description:
      'Have events of sandboxes posted to an https address. The signing key is in this answer only.',
    effect: 'write',
    open: true,
    method: 'POST',
    path: '/webhooks',
    arguments: {
      url: needed(inBody('url', text('https, on a public address'))),
      event_types: needed(inBody('eventTypes', texts('for instance sandbox.running, sandbox.error'))),
      sandbox_id: inBody('sandboxId', text('of this sandbox only')),
      namespace: inBody('namespace', text('its namespace')),
    },
    answer: 'json',
  },
  {
    name: 'webhook_list',
    description: 'List your subscriptions.',
    effect: 'read',
    method: 'GET',
    path: '/webhooks',
    arguments: {},
    answer: 'json',
  },
  {
    name: 'webhook_delete',
    description: 'End a subscription.',
    effect: 'destroy',
    idempotent: true,
    method: 'DELETE',
    path: '/webhooks/:webhook',
    arguments: { webhook_id: WEBHOOK, namespace: inQuery('namespace', text('its namespace')) },
    answer: 'nothing',
  },
  {
    name: 'webhook_deliveries',
    description: 'Show the last tries to deliver, the newest first.',
    effect: 'read',
    method: 'GET',
    path: '/webhooks/:webhook/deliveries',
    arguments: { webhook_id: WEBHOOK, namespace: inQuery('namespace', text('its namespace')) },
    answer: 'json',
  },
];
