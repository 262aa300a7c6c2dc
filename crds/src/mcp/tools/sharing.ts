// SPDX-License-Identifier: Apache-2.0
import { choice, inBody, inPath, inQuery, needed, ONE_SANDBOX, flag, text, whole } from '../argument.ts';
import type { Tool } from '../tool.ts';

const LEVEL = choice('viewer may look, collaborator may work in it', 'viewer', 'collaborator');
const IDENTITY = text('subject, e-mail address or group');

export const SHARING_TOOLS: readonly Tool[] = [
  {
    name: 'sharing_list',
    description: 'Show with whom a sandbox is shared, and its links.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/share',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
  {
    name: 'sharing_grant',
    description: 'Let a person or a group use a sandbox, or change the level that they have.',
    effect: 'write',
    idempotent: true,
    method: 'POST',
    path: '/sandboxes/:id/share',
    arguments: {
      ...ONE_SANDBOX,
      identity: needed(inBody('identity', IDENTITY)),
      level: inBody('level', LEVEL),
      kind: inBody('kind', choice('whether the identity is a person or a group', 'user', 'group')),
    },
    fixed: { level: 'viewer' },
    answer: 'json',
  },
  {
    name: 'sharing_revoke',
    description: 'Take a share of a sandbox away from a person or a group.',
    effect: 'destroy',
    idempotent: true,
    method: 'DELETE',
    path: '/sandboxes/:id/share/:identity',
    arguments: { ...ONE_SANDBOX, identity: inPath('identity', IDENTITY) },
    answer: 'json',
  },
  {
    name: 'sharing_create_link',
    description:
      'Make a link: whoever signs in and redeems its token shares the sandbox. The token is in this answer only.',
    effect: 'write',
    method: 'POST',
    path: '/sandboxes/:id/share-links',
    arguments: {
      ...ONE_SANDBOX,
      level: inBody('level', LEVEL),
      expires_in: inBody('expiresIn', text('for how long it can be redeemed, for instance "24h"')),
      max_uses: inBody('maxUses', whole('how many may redeem it; 0 is any number', 0, 2147483647)),
    },
    answer: 'json',
  },
  {
    name: 'sharing_delete_link',
    description: 'Close a link. Who came by it keeps the share unless people is true.',
    effect: 'destroy',
    idempotent: true,
    method: 'DELETE',
    path: '/sandboxes/:id/share-links/:link',
    arguments: {
      ...ONE_SANDBOX,
      link_id: inPath('link', text('id of the link, see sharing_list')),
      people: inQuery('people', flag('take the share from those who came by it')),
    },
    answer: 'json',
  },
  {
    name: 'sharing_redeem_link',
    description: 'Take what the token of a link offers: its sandbox is shared with you from then on.',
    effect: 'write',
    idempotent: true,
    method: 'POST',
    path: '/share-links/redeem',
    arguments: { token: needed(inBody('token', text('token of the link'))) },
    answer: 'json',
  },
];
