// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import { NamespaceQuery, SMALL_LIMIT, Text, Timestamp } from '../schemas.ts';
import type { Route } from '../route.ts';

const TAG = 'Agents';

const InvokeQuery = Type.Object({
  namespace: Type.Optional(Text),
  prompt: Type.Optional(
    Type.String({ description: 'added to the command as --prompt=…; the input, without a body' }),
  ),
  timeout: Type.Optional(
    Type.String({
      description: 'a duration such as "90s"; it can only shorten what the template and the policy allow',
    }),
  ),
  id: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      description:
        'name of the invocation, by which it can be cancelled before its first event has come; made up where it is left out, 409 where there is one of this name',
    }),
  ),
  resume: Type.Optional(
    Type.String({
      description:
        'a duration up to 60s for which the invocation goes on when the connection has ended, to be read on by its id; without it, it is cancelled at once',
    }),
  ),
});

const AfterQuery = Type.Object({
  namespace: Type.Optional(Text),
  after: Type.Optional(
    Type.String({ description: 'id of the last event seen, like the header Last-Event-ID' }),
  ),
});

const Invocations = Type.Object({
  limit: Type.Integer({ description: '0 for no cap' }),
  inflight: Type.Integer(),
  invokes: Type.Array(
    Type.Object({ invokeId: Text, startedAt: Type.Integer(), reason: Type.Optional(Text) }),
    { description: 'running, and ended lately, then with a reason' },
  ),
});

const ConfigureState = Type.Object({
  state: Type.Enum(['None', 'Pending', 'Installing', 'Ready', 'Failed']),
  reason: Text,
  message: Text,
  entrypoint: Type.Optional(Type.Array(Text)),
  lastConfiguredAt: Type.Optional(Timestamp),
  configuredBy: Type.Optional(Type.String({ description: 'a digest of the person' })),
  installCommandHash: Type.Optional(Text),
  installExitCode: Type.Optional(Type.Integer()),
  skipped: Type.Optional(Type.Boolean({ description: 'the same was installed before' })),
  maxConcurrentInvokes: Type.Optional(Type.Integer()),
  defaultInvokeTimeoutSeconds: Type.Optional(Type.Integer()),
  maxInvokeTimeoutSeconds: Type.Optional(Type.Integer()),
});

const LogQuery = Type.Object({
  namespace: Type.Optional(Text),
  full: Type.Optional(Type.Boolean({ description: 'all of it, not only its end; while the sandbox runs' })),
});

export const agentRoutes = [
  {
    method: 'post',
    path: '/sandboxes/:id/configure',
    operation: 'configureAgent',
    tag: TAG,
    summary:
      'Brings files into an agent, installs it and sets its entrypoint: {files: [{path, content | contentBase64}], installCommand, entrypoint}. Streams the log; the installation goes on without a reader.',
    action: 'configure',
    query: NamespaceQuery,
    body: 'raw',
    answers: { 200: 'events' },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/configure',
    operation: 'showConfiguration',
    tag: TAG,
    summary: 'Shows how far the configuration of an agent is, and what is in force.',
    action: 'configure',
    query: NamespaceQuery,
    answers: { 200: ConfigureState },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/configure/install-log',
    operation: 'showInstallLog',
    tag: TAG,
    summary: 'Shows the log of the last installation, of one that failed as well.',
    action: 'configure',
    query: LogQuery,
    answers: { 200: Type.Object({ log: Text }) },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/invoke',
    operation: 'invokeAgent',
    tag: TAG,
    summary: 'Runs the agent once, with the body as its input, and streams what it prints.',
    action: 'invoke',
    query: InvokeQuery,
    body: 'raw',
    answers: { 200: 'events' },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/invoke',
    operation: 'listInvocations',
    tag: TAG,
    summary: 'Shows what runs and how much may run at once.',
    action: 'invoke',
    query: NamespaceQuery,
    answers: { 200: Invocations },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/invoke/:invokeId',
    operation: 'followInvocation',
    tag: TAG,
    summary: 'Streams the events of an invocation after the one that was seen last.',
    action: 'invoke',
    query: AfterQuery,
    answers: { 200: 'events' },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/invoke/cancel',
    operation: 'cancelInvocation',
    tag: TAG,
    summary: 'Ends an invocation with all that it has started.',
    action: 'invoke',
    query: NamespaceQuery,
    body: { schema: Type.Object({ invokeId: Type.String({ minLength: 1 }) }), limit: SMALL_LIMIT },
    answers: { 204: 'nothing' },
  },
] as const satisfies readonly Route[];
