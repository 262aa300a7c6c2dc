// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { NamespaceQuery, SMALL_LIMIT, Text } from '../schemas.ts';

const TAG = 'Sharing';

const Level = Type.Union([Type.Literal('viewer'), Type.Literal('collaborator')], {
  description: 'viewer or collaborator',
});
const ExpiresAt = Type.Union([Type.String({ format: 'date-time' }), Type.Null()]);

const Link = Type.Object({
  id: Text,
  level: Level,
  expiresAt: ExpiresAt,
  maxUses: Type.Integer({ description: '0 means any number' }),
  usedCount: Type.Integer(),
});

const Shared = Type.Object({ identity: Text, level: Level });
export const SharingBody = Type.Object({
  users: Type.Array(
    Type.Object({
      identity: Text,
      level: Level,
      link: Type.Optional(Type.String({ description: 'id of the link that the person came by' })),
    }),
  ),
  groups: Type.Array(Shared),
  shareLinks: Type.Array(Link),
});

const GrantBody = Type.Object({
  identity: Type.String({ minLength: 1, maxLength: 512, description: 'subject, e-mail address or group' }),
  level: Level,
  kind: Type.Optional(
    Type.Union([Type.Literal('user'), Type.Literal('group')], { description: 'user or group' }),
  ),
});

const LinkBody = Type.Object({
  level: Type.Optional(Level),
  expiresIn: Type.Optional(Type.String({ description: 'a duration such as "24h"; none when left out' })),
  maxUses: Type.Optional(Type.Integer({ minimum: 0, maximum: 2147483647 })),
});

export const sharingRoutes = [
  {
    method: 'get',
    path: '/sandboxes/:id/share',
    operation: 'getSharing',
    tag: TAG,
    summary: 'Shows with whom a sandbox is shared, and its links.',
    action: 'share',
    query: NamespaceQuery,
    answers: { 200: SharingBody },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/share',
    operation: 'grantShare',
    tag: TAG,
    summary: 'Lets a person or a group use a sandbox, or changes the level.',
    action: 'share',
    query: NamespaceQuery,
    body: { schema: GrantBody, limit: SMALL_LIMIT },
    answers: { 200: SharingBody },
  },
  {
    method: 'delete',
    path: '/sandboxes/:id/share/:identity',
    operation: 'revokeShare',
    tag: TAG,
    summary: 'Takes that back; the identity is percent-encoded.',
    action: 'share',
    query: NamespaceQuery,
    answers: { 200: Type.Object({ status: Type.Literal('revoked'), identity: Text }) },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/share-links',
    operation: 'listShareLinks',
    tag: TAG,
    summary: 'Lists the links of a sandbox.',
    action: 'share',
    query: NamespaceQuery,
    answers: { 200: Type.Object({ shareLinks: Type.Array(Link) }) },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/share-links',
    operation: 'createShareLink',
    tag: TAG,
    summary: 'Makes a link; its secret is in this answer and nowhere else.',
    action: 'share',
    query: NamespaceQuery,
    body: { schema: LinkBody, limit: SMALL_LIMIT, optional: true },
    answers: {
      201: Type.Object({
        id: Text,
        token: Text,
        level: Level,
        expiresAt: ExpiresAt,
        maxUses: Type.Integer(),
        warning: Text,
      }),
    },
  },
  {
    method: 'delete',
    path: '/sandboxes/:id/share-links/:link',
    operation: 'deleteShareLink',
    tag: TAG,
    summary: 'Closes a link; who came by it stays, unless ?people=true.',
    action: 'share',
    query: Type.Object({ namespace: Type.Optional(Text), people: Type.Optional(Type.Boolean()) }),
    answers: { 200: Type.Object({ status: Type.Literal('revoked'), id: Text }) },
  },
  {
    method: 'post',
    path: '/share-links/redeem',
    operation: 'redeemShareLink',
    tag: TAG,
    summary: 'Takes what a link offers: the sandbox is shared with the caller from then on.',
    body: { schema: Type.Object({ token: Text }), limit: SMALL_LIMIT },
    answers: {
      200: Type.Object({ sandboxId: Text, name: Text, namespace: Text, level: Text }),
    },
  },
] as const satisfies readonly Route[];
