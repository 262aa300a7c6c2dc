// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import {
  AnyObject,
  Continue,
  DurationText,
  NamespaceQuery,
  pageQuery,
  SPEC_LIMIT,
  Text,
  Timestamp,
} from '../schemas.ts';

const TAG = 'Sandboxes';

export const TemplateReference = Type.Object({
  name: Text,
  kind: Type.Optional(Text),
  namespace: Type.Optional(Text),
});

export const SandboxBody = Type.Object(
  {
    sandboxId: Text,
    name: Text,
    namespace: Text,
    status: Type.String({ description: 'Creating, Running, Stopped, Error or Deleting' }),
    podName: Text,
    pvcName: Text,
    templateRef: Text,
    mode: Text,
    createdAt: Timestamp,
    message: Text,
    reason: Type.Optional(Text),
    desiredState: Text,
    createdBy: Type.Optional(Type.Object({ sub: Text, email: Text, displayName: Text })),
    lastActivityAt: Type.Optional(Timestamp),
    autoResume: Type.Optional(Type.Boolean()),
    stopWarning: Type.Optional(Type.Object({ reason: Text, deadline: Timestamp, message: Text })),
  },
  { title: 'Sandbox' },
);

export const SandboxList = Type.Object({ sandboxes: Type.Array(SandboxBody), continue: Continue });

/** What is inside the parts is for the CRD's schema and for admission to judge. */
const CreateBody = Type.Object({
  name: Text,
  namespace: Type.Optional(Text),
  templateRef: TemplateReference,
  timeout: Type.Optional(DurationText),
  idleTimeout: Type.Optional(DurationText),
  gracePeriod: Type.Optional(DurationText),
  image: Type.Optional(AnyObject),
  resources: Type.Optional(AnyObject),
  storage: Type.Optional(AnyObject),
  network: Type.Optional(AnyObject),
  env: Type.Optional(Type.Array(Type.Unknown())),
  autoResume: Type.Optional(Type.Boolean()),
});

const Created = Type.Object({
  sandboxId: Text,
  name: Text,
  namespace: Text,
  status: Text,
  templateRef: Text,
  warnings: Type.Optional(Type.Array(Text)),
});

const Status = Type.Object({ status: Text });

export const sandboxRoutes = [
  {
    method: 'post',
    path: '/sandboxes',
    operation: 'createSandbox',
    tag: TAG,
    summary: 'Creates a sandbox from a template; admission has the say.',
    query: NamespaceQuery,
    body: { schema: CreateBody, limit: SPEC_LIMIT, own: true },
    answers: { 201: Created },
  },
  {
    method: 'get',
    path: '/sandboxes',
    operation: 'listSandboxes',
    tag: TAG,
    summary: 'Lists the sandboxes that the caller may see.',
    query: pageQuery({ namespace: Type.Optional(Text), status: Type.Optional(Text) }),
    answers: { 200: SandboxList },
  },
  {
    method: 'get',
    path: '/sandboxes/:id',
    operation: 'getSandbox',
    tag: TAG,
    summary: 'Shows one sandbox.',
    action: 'read',
    query: NamespaceQuery,
    answers: { 200: SandboxBody },
  },
  {
    method: 'delete',
    path: '/sandboxes/:id',
    operation: 'deleteSandbox',
    tag: TAG,
    summary: 'Deletes a sandbox and what it owns.',
    action: 'delete',
    query: NamespaceQuery,
    answers: { 204: 'nothing' },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/stop',
    operation: 'stopSandbox',
    tag: TAG,
    summary: 'Stops a sandbox; its workspace stays.',
    action: 'stop',
    query: NamespaceQuery,
    answers: { 200: Status },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/resume',
    operation: 'resumeSandbox',
    tag: TAG,
    summary: 'Starts a stopped or failed sandbox again.',
    action: 'resume',
    query: NamespaceQuery,
    answers: { 200: Status },
  },
] as const satisfies readonly Route[];
