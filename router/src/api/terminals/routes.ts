// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { NamespaceQuery, SMALL_LIMIT, Timestamp } from '../schemas.ts';

const Mode = Type.Union([Type.Literal('control'), Type.Literal('view')], {
  description: '"control", or "view" to look on only',
});

const TicketBody = Type.Object({ mode: Type.Optional(Mode) });

const TicketAnswer = Type.Object({
  ticket: Type.String({ description: 'opens one terminal of this sandbox: /ws/terminal/{id}?ticket=' }),
  mode: Mode,
  expiresAt: Timestamp,
});

export const terminalRoutes = [
  {
    method: 'post',
    path: '/sandboxes/:id/terminal-tickets',
    operation: 'createTerminalTicket',
    tag: 'Terminals',
    summary: 'Issues a ticket that opens one terminal within a minute, for clients that can send no header.',
    action: 'watch',
    query: NamespaceQuery,
    body: { schema: TicketBody, limit: SMALL_LIMIT, optional: true },
    answers: { 201: TicketAnswer },
  },
] as const satisfies readonly Route[];
