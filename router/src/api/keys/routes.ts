// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import { ACTION_GROUPS } from '../../auth/actionGroups.ts';
import type { Route } from '../route.ts';
import { Continue, DurationText, pageQuery, SMALL_LIMIT, Text, Timestamp } from '../schemas.ts';

const TAG = 'User';

const Groups = Type.Array(Text, {
  maxItems: 32,
  description: `what a key of one sandbox may do: ${ACTION_GROUPS.join(', ')}; none named means all`,
});

export const KeyView = Type.Object({
  id: Text,
  userId: Text,
  name: Text,
  sandboxId: Type.Optional(Text),
  namespace: Type.Optional(Type.String({ description: 'of the sandbox' })),
  actionGroups: Type.Optional(Type.Array(Text)),
  createdAt: Text,
  expiresAt: Type.Optional(Timestamp),
});

export const keyRoutes = [
  {
    method: 'get',
    path: '/user/api-keys',
    operation: 'listApiKeys',
    tag: TAG,
    summary: "Lists the caller's API keys, never the keys themselves.",
    query: pageQuery({
      user: Type.Optional(
        Type.String({ description: 'for administrators: whose keys instead; "*" is everybody' }),
      ),
    }),
    answers: { 200: Type.Object({ keys: Type.Array(KeyView), continue: Continue }) },
  },
  {
    method: 'post',
    path: '/user/api-keys',
    operation: 'createApiKey',
    tag: TAG,
    summary:
      'Makes an API key, of the whole person or of one sandbox and a few actions; it is shown this once.',
    body: {
      limit: SMALL_LIMIT,
      optional: true,
      // Of all bodies the one that is closed: a limit that was misspelt must not become a key without limits.
      schema: Type.Object(
        {
          name: Type.Optional(Type.String({ maxLength: 100 })),
          expiresIn: Type.Optional(DurationText),
          sandboxId: Type.Optional(Text),
          namespace: Type.Optional(
            Type.String({ description: 'where the sandbox is, if its name is in several' }),
          ),
          scopes: Type.Optional(Groups),
          actionGroups: Type.Optional(Groups),
        },
        { additionalProperties: false },
      ),
    },
    answers: {
      201: Type.Object({
        id: Text,
        key: Text,
        name: Text,
        sandboxId: Text,
        actionGroups: Type.Array(Text),
        createdAt: Timestamp,
        expiresAt: Type.Union([Timestamp, Type.Null()]),
        warning: Text,
      }),
    },
  },
  {
    method: 'delete',
    path: '/user/api-keys/:key',
    operation: 'revokeApiKey',
    tag: TAG,
    summary:
      "Ends an API key, and with it every terminal that was opened with it; administrators end anybody's.",
    answers: { 200: Type.Object({ status: Type.Literal('revoked'), id: Text }) },
  },
] as const satisfies readonly Route[];
