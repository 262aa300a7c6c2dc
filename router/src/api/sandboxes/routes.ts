// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import {
  AnyObject,
  Continue,
  DurationText,
  NamespaceQuery,
  pageQuery,
  SMALL_LIMIT,
  SPEC_LIMIT,
  Text,
  TextMap,
  Timestamp,
  Violation,
  Warnings,
  WriteQuery,
} from '../schemas.ts';
import { MOST_IN_BATCH } from './batch.ts';

const TAG = 'Sandboxes';
/** A batch of ordinary sandboxes, or a few large ones. */
const BULK_LIMIT = 4 * SPEC_LIMIT;

export const TemplateReference = Type.Object({
  name: Text,
  kind: Type.Optional(Text),
  namespace: Type.Optional(Text),
});

export const OwnerBody = Type.Object({ sub: Text, email: Text, displayName: Text });

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
    createdBy: Type.Optional(OwnerBody),
    lastActivityAt: Type.Optional(Timestamp),
    autoResume: Type.Optional(Type.Boolean()),
    stopWarning: Type.Optional(Type.Object({ reason: Text, deadline: Timestamp, message: Text })),
  },
  { title: 'Sandbox' },
);

export const SandboxList = Type.Object({ sandboxes: Type.Array(SandboxBody), continue: Continue });

const AnyList = Type.Array(Type.Unknown());

/** What is inside the parts is for the CRD's schema and for admission to judge. */
const CreateBody = Type.Object(
  {
    name: Text,
    namespace: Type.Optional(Text),
    labels: Type.Optional(TextMap),
    annotations: Type.Optional(TextMap),
    templateRef: TemplateReference,
    mode: Type.Optional(Type.Union([Type.Literal('code'), Type.Literal('agent')])),
    timeout: Type.Optional(DurationText),
    idleTimeout: Type.Optional(DurationText),
    gracePeriod: Type.Optional(DurationText),
    image: Type.Optional(AnyObject),
    resources: Type.Optional(AnyObject),
    storage: Type.Optional(AnyObject),
    network: Type.Optional(AnyObject),
    env: Type.Optional(AnyList),
    backup: Type.Optional(AnyObject),
    runtimeClass: Type.Optional(Text),
    identity: Type.Optional(AnyObject),
    serviceAccount: Type.Optional(Text),
    security: Type.Optional(AnyObject),
    credentials: Type.Optional(AnyList),
    sidecars: Type.Optional(AnyList),
    initContainers: Type.Optional(AnyList),
    harness: Type.Optional(AnyObject),
    files: Type.Optional(AnyList),
    initScripts: Type.Optional(AnyList),
    runInitScripts: Type.Optional(Type.Union([Type.Literal('Once'), Type.Literal('Always')])),
    desiredState: Type.Optional(Type.Union([Type.Literal('Running'), Type.Literal('Stopped')])),
    templateUpdatePolicy: Type.Optional(Type.Union([Type.Literal('OnResume'), Type.Literal('Pinned')])),
    warmPool: Type.Optional(
      Type.Union([Type.Literal('Auto'), Type.Literal('Never'), Type.Literal('Require')]),
    ),
    ports: Type.Optional(AnyList),
    agentConfig: Type.Optional(AnyObject),
    autoResume: Type.Optional(Type.Boolean()),
  },
  { title: 'CreateSandbox', description: 'a sandbox to be; the parts are those of the Sandbox kind' },
);

const NullableMap = Type.Record(Type.String(), Type.Union([Text, Type.Null()]), {
  description: 'merged into what is there; null takes a key away',
});

const UpdateBody = Type.Object({
  timeout: Type.Optional(Type.Union([DurationText, Type.Null()])),
  idleTimeout: Type.Optional(Type.Union([DurationText, Type.Null()])),
  gracePeriod: Type.Optional(Type.Union([DurationText, Type.Null()])),
  autoResume: Type.Optional(Type.Boolean()),
  resources: Type.Optional(Type.Object({}, { description: 'requests and limits; replaced as a whole' })),
  env: Type.Optional(Type.Array(AnyObject, { description: 'replaced as a whole' })),
  labels: Type.Optional(NullableMap),
  annotations: Type.Optional(NullableMap),
});

const Updated = Type.Object({
  sandboxId: Text,
  applied: Type.Record(Type.String(), Type.Union([Type.Literal('immediately'), Type.Literal('on-restart')])),
  restartRequired: Type.Boolean(),
  message: Type.Optional(Text),
  warnings: Warnings,
});

const BulkBody = Type.Object({
  items: Type.Array(Type.Unknown(), {
    minItems: 1,
    maxItems: MOST_IN_BATCH,
    description: `1 to ${MOST_IN_BATCH} bodies of a create`,
  }),
});

const BulkResult = Type.Object({
  results: Type.Array(
    Type.Object({
      index: Type.Integer(),
      status: Type.Union([Type.Literal('created'), Type.Literal('error')]),
      sandboxId: Type.Optional(Text),
      namespace: Type.Optional(Text),
      warnings: Warnings,
      error: Type.Optional(Text),
      violations: Type.Optional(Type.Array(Violation)),
    }),
  ),
});

const BulkActionBody = Type.Object({
  action: Type.Union([Type.Literal('stop'), Type.Literal('resume'), Type.Literal('delete')], {
    description: 'stop, resume or delete',
  }),
  ids: Type.Array(Type.String({ minLength: 1 }), {
    minItems: 1,
    maxItems: MOST_IN_BATCH,
    description: `1 to ${MOST_IN_BATCH} ids of sandboxes`,
  }),
});

const BulkActionResult = Type.Object({
  results: Type.Array(
    Type.Object({
      id: Text,
      status: Type.Union([Type.Literal('ok'), Type.Literal('error')]),
      error: Type.Optional(Text),
      violations: Type.Optional(Type.Array(Violation)),
    }),
  ),
});

const Created = Type.Object({
  sandboxId: Text,
  name: Text,
  namespace: Text,
  status: Text,
  templateRef: Text,
  warnings: Warnings,
});

const Status = Type.Object({ status: Text });

export const sandboxRoutes = [
  {
    method: 'post',
    path: '/sandboxes',
    operation: 'createSandbox',
    tag: TAG,
    summary: 'Creates a sandbox from a template; admission has the say.',
    query: WriteQuery,
    body: { schema: CreateBody, limit: SPEC_LIMIT, own: true },
    answers: { 201: Created },
  },
  {
    method: 'post',
    path: '/sandboxes/bulk',
    operation: 'createSandboxes',
    tag: TAG,
    summary:
      'Creates many sandboxes, or none where the quota has no room for all; each result says how it went.',
    counts: 'items',
    query: WriteQuery,
    body: { schema: BulkBody, limit: BULK_LIMIT },
    answers: { 200: BulkResult },
  },
  {
    method: 'post',
    path: '/sandboxes/bulk-action',
    operation: 'actOnSandboxes',
    tag: TAG,
    summary: 'Stops, resumes or deletes many sandboxes; each result says how it went.',
    counts: 'ids',
    query: WriteQuery,
    body: { schema: BulkActionBody, limit: SMALL_LIMIT },
    answers: { 200: BulkActionResult },
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
    method: 'patch',
    path: '/sandboxes/:id',
    operation: 'updateSandbox',
    tag: TAG,
    summary: 'Changes a sandbox, and says what takes effect at once and what at its next start.',
    action: 'edit',
    query: WriteQuery,
    body: { schema: UpdateBody, limit: SPEC_LIMIT },
    answers: { 200: Updated },
  },
  {
    method: 'delete',
    path: '/sandboxes/:id',
    operation: 'deleteSandbox',
    tag: TAG,
    summary: 'Deletes a sandbox and what it owns.',
    action: 'delete',
    query: WriteQuery,
    answers: { 204: 'nothing' },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/stop',
    operation: 'stopSandbox',
    tag: TAG,
    summary: 'Stops a sandbox; its workspace stays.',
    action: 'stop',
    query: WriteQuery,
    answers: { 200: Status },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/resume',
    operation: 'resumeSandbox',
    tag: TAG,
    summary: 'Starts a stopped or failed sandbox again.',
    action: 'resume',
    query: WriteQuery,
    answers: { 200: Status },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/activity',
    operation: 'markSandboxInUse',
    tag: TAG,
    summary: 'Says that somebody uses a sandbox: an automatic stop that is near is off.',
    action: 'terminal',
    query: NamespaceQuery,
    answers: { 204: 'nothing' },
  },
] as const satisfies readonly Route[];
