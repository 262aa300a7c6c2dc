// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { NamespaceQuery, SMALL_LIMIT, Text, Timestamp } from '../schemas.ts';

const Format = Type.Union([Type.Literal('zip'), Type.Literal('tar'), Type.Literal('tar.gz')], {
  description: 'a folder, packed so; a file when absent',
});
const PathBase64 = Type.String({ description: 'the path as base64url' });

const TicketBody = Type.Object({
  path: Type.Optional(Type.String({ description: 'an absolute path' })),
  pathBase64: Type.Optional(
    Type.String({ description: 'the path as base64url, for names that are no UTF-8' }),
  ),
  format: Type.Optional(Format),
});

export const downloadRoutes = [
  {
    method: 'post',
    path: '/sandboxes/:id/download-tickets',
    operation: 'createDownloadTicket',
    tag: 'Files',
    summary:
      'Gives a URL that downloads one file or folder once within a minute, for links, which can send no header.',
    action: 'readFiles',
    query: NamespaceQuery,
    body: { schema: TicketBody, limit: SMALL_LIMIT },
    answers: { 201: Type.Object({ url: Text, expiresAt: Timestamp }) },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/download',
    operation: 'downloadByTicket',
    tag: 'Files',
    summary: 'Downloads what a ticket is for; the ticket is the credential.',
    action: 'readFiles',
    ticket: 'download',
    query: Type.Object({
      ...NamespaceQuery.properties,
      pathBase64: Type.Optional(PathBase64),
      format: Type.Optional(Format),
      ticket: Type.Optional(Text),
    }),
    answers: { 200: 'bytes', 206: 'bytes' },
  },
] as const satisfies readonly Route[];
