// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { NamespaceQuery, SMALL_LIMIT, Text, Timestamp } from '../schemas.ts';

const TAG = 'Ports and previews';

const ForwardedPort = Type.Object({
  port: Type.Integer(),
  protocol: Text,
  previewUrl: Type.Optional(
    Type.String({ description: 'where browsers find it, once a ticket has let them in; absent for tcp' }),
  ),
});

const ListeningPort = Type.Object({
  port: Type.Integer(),
  addresses: Type.Array(Text),
  pid: Type.Optional(Type.Integer()),
  command: Type.Optional(Text),
});

const ForwardBody = Type.Object({
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  protocol: Type.Optional(
    Type.Union([Type.Literal('http'), Type.Literal('https'), Type.Literal('tcp')], {
      description: 'http, https or tcp',
    }),
  ),
});

const TicketBody = Type.Object({
  path: Type.Optional(Type.String({ description: 'where the browser is led; / when absent' })),
});

/** What a kernel does not tell is absent. */
const Stats = Type.Object({
  cpu: Type.Optional(
    Type.Object({
      usageUsec: Type.Integer(),
      userUsec: Type.Integer(),
      systemUsec: Type.Integer(),
      throttledUsec: Type.Integer(),
      limitMillis: Type.Optional(Type.Integer()),
    }),
  ),
  memory: Type.Optional(
    Type.Object({
      usage: Type.Integer(),
      workingSet: Type.Integer(),
      limit: Type.Optional(Type.Integer()),
      oomKills: Type.Integer(),
    }),
  ),
  io: Type.Optional(Type.Object({ readBytes: Type.Integer(), writeBytes: Type.Integer() })),
  pids: Type.Optional(Type.Object({ current: Type.Integer(), limit: Type.Optional(Type.Integer()) })),
  workspace: Type.Optional(
    Type.Object({ path: Text, total: Type.Integer(), used: Type.Integer(), free: Type.Integer() }),
  ),
  lastActivity: Type.Union([Timestamp, Type.Null()]),
});

export const portRoutes = [
  {
    method: 'get',
    path: '/sandboxes/:id/stats',
    operation: 'getStats',
    tag: 'Sandboxes',
    summary: 'Tells what a running sandbox uses of CPU, memory, disk and processes.',
    action: 'read',
    query: NamespaceQuery,
    answers: { 200: Stats },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/ports',
    operation: 'listPorts',
    tag: TAG,
    summary: 'Lists the forwarded ports of a sandbox.',
    action: 'ports',
    query: NamespaceQuery,
    answers: { 200: Type.Object({ ports: Type.Array(ForwardedPort) }) },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/ports/listening',
    operation: 'listListeningPorts',
    tag: TAG,
    summary: 'Lists what listens for connections in a running sandbox, forwarded or not.',
    action: 'ports',
    query: NamespaceQuery,
    answers: { 200: Type.Object({ ports: Type.Array(ListeningPort) }) },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/ports',
    operation: 'forwardPort',
    tag: TAG,
    summary: 'Forwards a port; one that is forwarded already stays so.',
    action: 'ports',
    query: NamespaceQuery,
    body: { schema: ForwardBody, limit: SMALL_LIMIT },
    answers: { 201: ForwardedPort },
  },
  {
    method: 'delete',
    path: '/sandboxes/:id/ports/:port',
    operation: 'unforwardPort',
    tag: TAG,
    summary: 'Forwards a port no longer.',
    action: 'ports',
    query: NamespaceQuery,
    answers: { 204: 'nothing' },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/ports/:port/preview-tickets',
    operation: 'createPreviewTicket',
    tag: TAG,
    summary: 'Gives a URL that lets one browser into the preview of a forwarded port.',
    action: 'ports',
    query: NamespaceQuery,
    body: { schema: TicketBody, limit: SMALL_LIMIT, optional: true },
    answers: { 201: Type.Object({ url: Text, expiresAt: Timestamp }) },
  },
] as const satisfies readonly Route[];
