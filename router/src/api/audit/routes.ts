// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { Text, Timestamp, pageQuery } from '../schemas.ts';

const TAG = 'Audit';

const FILTERS = {
  sandbox: Type.Optional(Type.String({ description: 'name of the sandbox' })),
  namespace: Type.Optional(Text),
  user: Type.Optional(Type.String({ description: 'subject or e-mail address of who acted' })),
  type: Type.Optional(Type.String({ description: 'what was done, such as ExecRun' })),
  from: Type.Optional(Type.String({ description: 'RFC 3339; what happened then is included' })),
  to: Type.Optional(Type.String({ description: 'RFC 3339; what happened then is not' })),
};

const AuditEvent = Type.Object({
  id: Text,
  timestamp: Timestamp,
  eventType: Text,
  sandboxId: Text,
  sandboxName: Text,
  namespace: Text,
  userEmail: Text,
  user: Type.String({ description: 'subject of who acted; empty where it is not known' }),
  outcome: Text,
  resource: Type.String({ description: 'kind of what it was done to' }),
  name: Text,
  sourceIp: Text,
  details: Type.Object({ reason: Text, code: Type.Optional(Text) }),
});

export const auditRoutes = [
  {
    method: 'get',
    path: '/audit/events',
    operation: 'listAuditEvents',
    tag: TAG,
    summary:
      'Lists who did what, newest first: everything for administrators, for others what concerns them.',
    query: pageQuery(FILTERS),
    answers: {
      200: Type.Object({ events: Type.Array(AuditEvent), continue: Type.Optional(Text) }),
    },
  },
  {
    method: 'get',
    path: '/audit/export',
    operation: 'exportAuditEvents',
    tag: TAG,
    summary: 'The same, all of it, as lines of JSON or as a table.',
    query: Type.Object({
      ...FILTERS,
      format: Type.Optional(Type.Union([Type.Literal('ndjson'), Type.Literal('csv')])),
    }),
    answers: { 200: 'bytes' },
  },
] as const satisfies readonly Route[];
