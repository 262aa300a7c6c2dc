// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { NamespaceQuery, Text, TextMap, Timestamp } from '../schemas.ts';

/** The runtime takes 8 MiB of input at most, which are more as base64. */
const COMMAND_LIMIT = 12 * 1024 * 1024;

const Bytes = Type.Optional(Type.Integer({ minimum: 1 }));

const ExecBody = Type.Object({
  command: Type.Union([Text, Type.Array(Text)], {
    description: 'a line for /bin/sh -c, or a program and its arguments, run without a shell',
  }),
  timeout: Type.Optional(
    Type.Integer({ description: 'seconds; 30 when absent, 1800 at most; detached 1800, 86400 at most' }),
  ),
  stdin: Type.Optional(Type.String({ description: 'input, 8 MiB at most' })),
  workingDir: Type.Optional(Type.String({ description: 'folder, relative to the workspace' })),
  env: Type.Optional(TextMap),
  encoding: Type.Optional(
    Type.String({ description: 'of stdin, stdout and stderr: utf-8, or base64 for any bytes' }),
  ),
  limits: Type.Optional(Type.Object({ stdout: Bytes, stderr: Bytes })),
  stream: Type.Optional(
    Type.Boolean({
      description: 'answer with events stdout, stderr and exit, as Accept: text/event-stream does',
    }),
  ),
  detach: Type.Optional(Type.Boolean({ description: 'answer 202 with an id; nobody waits' })),
});

const ExecResult = Type.Object({
  stdout: Text,
  stderr: Text,
  exitCode: Type.Integer(),
  timedOut: Type.Optional(Type.Boolean()),
  truncated: Type.Optional(Type.Boolean()),
});

const DetachedResult = Type.Object({
  execId: Text,
  running: Type.Boolean(),
  startedAt: Timestamp,
  exitCode: Type.Optional(Type.Integer({ description: 'absent while it runs' })),
  stdout: Text,
  stderr: Text,
  durationMs: Type.Integer(),
  timedOut: Type.Boolean(),
  truncated: Type.Optional(Type.Boolean()),
});

const DetachedQuery = Type.Object({
  namespace: Type.Optional(Text),
  wait: Type.Optional(Type.String({ description: 'how long to wait for the end, such as 20s; 60s at most' })),
  encoding: Type.Optional(Text),
});

export const execRoutes = [
  {
    method: 'post',
    path: '/sandboxes/:id/exec',
    operation: 'execInSandbox',
    tag: 'Exec',
    summary: 'Runs a command and answers with what it printed; streamed or detached where that is asked for.',
    action: 'exec',
    query: NamespaceQuery,
    body: { schema: ExecBody, limit: COMMAND_LIMIT, own: true },
    answers: { 200: ExecResult, 202: Type.Object({ execId: Text, startedAt: Timestamp }) },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/exec/:execId',
    operation: 'getExec',
    tag: 'Exec',
    summary: 'Tells the result of a detached command, or what it has printed so far.',
    action: 'exec',
    query: DetachedQuery,
    answers: { 200: DetachedResult },
  },
  {
    method: 'delete',
    path: '/sandboxes/:id/exec/:execId',
    operation: 'endExec',
    tag: 'Exec',
    summary: 'Ends a detached command with everything that it started, and forgets its result.',
    action: 'exec',
    query: NamespaceQuery,
    answers: { 204: 'nothing' },
  },
] as const satisfies readonly Route[];
