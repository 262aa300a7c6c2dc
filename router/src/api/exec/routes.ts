// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { NamespaceQuery, Text } from '../schemas.ts';

/** The runtime takes 8 MiB of input at most. */
const COMMAND_LIMIT = 8 * 1024 * 1024;

const ExecBody = Type.Object({
  command: Type.Union([Text, Type.Array(Text)], {
    description: 'a line for /bin/sh -c, or a program and its arguments, run without a shell',
  }),
  timeout: Type.Optional(Type.Integer({ description: 'seconds; 30 when absent' })),
});

const ExecResult = Type.Object({
  stdout: Text,
  stderr: Text,
  exitCode: Type.Integer(),
  timedOut: Type.Optional(Type.Boolean()),
  truncated: Type.Optional(Type.Boolean()),
});

export const execRoutes = [
  {
    method: 'post',
    path: '/sandboxes/:id/exec',
    operation: 'execInSandbox',
    tag: 'Exec',
    summary: 'Runs a command and answers with what it printed.',
    action: 'exec',
    query: NamespaceQuery,
    body: { schema: ExecBody, limit: COMMAND_LIMIT, own: true },
    answers: { 200: ExecResult },
  },
] as const satisfies readonly Route[];
