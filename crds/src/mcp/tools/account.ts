// SPDX-License-Identifier: Apache-2.0
import { asWhole, inBody, inPath, inQuery, text, texts } from '../argument.ts';
import type { Tool } from '../tool.ts';

const NAMESPACE = inQuery('namespace', text('with the templates of this namespace, too'));

/** Who asks, and what can be made. */
export const ACCOUNT_TOOLS: readonly Tool[] = [
  {
    name: 'current_user',
    description: 'Tell whom these credentials belong to, and whether that is an administrator.',
    effect: 'read',
    method: 'GET',
    path: '/user/me',
    arguments: {},
    answer: 'json',
  },
  {
    name: 'template_list',
    description: 'List the templates that sandboxes can be made from.',
    effect: 'read',
    method: 'GET',
    path: '/templates',
    arguments: { namespace: NAMESPACE },
    answer: 'json',
  },
  {
    name: 'template_get',
    description: 'Show one template with its whole specification.',
    effect: 'read',
    method: 'GET',
    path: '/templates/:name',
    arguments: { name: inPath('name', text('name of the template')), namespace: NAMESPACE },
    answer: 'json',
  },
  {
    name: 'user_get_preferences',
    description: 'Show your preferences: any object, empty until one is stored.',
    effect: 'read',
    method: 'GET',
    path: '/user/preferences',
    arguments: {},
    answer: 'json',
  },
  {
    name: 'user_set_preferences',
    description: 'Replace your preferences.',
    effect: 'destroy',
    idempotent: true,
    method: 'PUT',
    path: '/user/preferences',
    arguments: { preferences: asWhole({ type: 'object', description: 'all of them' }) },
    answer: 'json',
  },
  {
    name: 'apikey_list',
    description: 'List your API keys, never the keys themselves.',
    effect: 'read',
    method: 'GET',
    path: '/user/api-keys',
    arguments: {},
    answer: 'json',
  },
  {
    name: 'apikey_create',
    description:
      'Make an API key that acts as you, or one of a sandbox that may do a few things in it. The key is in this answer only.',
    effect: 'write',
    method: 'POST',
    path: '/user/api-keys',
    arguments: {
      name: inBody('name', text('what it is for')),
      expires_in: inBody('expiresIn', text('for how long it counts, for instance "720h"')),
      sandbox_id: inBody('sandboxId', text('for this sandbox only')),
      namespace: inBody('namespace', text('its namespace')),
      action_groups: inBody('actionGroups', texts('what it may do there; all when left out')),
    },
    answer: 'json',
  },
  {
    name: 'apikey_revoke',
    description: 'End an API key, and the terminals that were opened with it.',
    effect: 'destroy',
    idempotent: true,
    method: 'DELETE',
    path: '/user/api-keys/:key',
    arguments: { key_id: inPath('key', text('id of the key, see apikey_list')) },
    answer: 'json',
  },
];
