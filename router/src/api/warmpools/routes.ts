// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { AnyObject, Continue, NamespaceQuery, pageQuery, SMALL_LIMIT, Text, WriteQuery } from '../schemas.ts';

const TAG = 'Warm pools';

const Counts = {
  template: Text,
  desiredCount: Type.Integer(),
  readyCount: Type.Integer(),
  pendingCount: Type.Integer(),
};

const PoolStatus = {
  name: Text,
  namespace: Text,
  ...Counts,
  failedCount: Type.Integer(),
  claimedTotal: Type.Integer(),
  missTotal: Type.Integer(),
  reason: Type.Optional(Text),
  message: Type.Optional(Text),
};

const Pool = Type.Object({ ...PoolStatus, resourceVersion: Text, spec: AnyObject });

const Wish = Type.Object({ template: Text, desiredCount: Type.Integer({ minimum: 0, maximum: 10 }) });

export const warmPoolRoutes = [
  {
    method: 'get',
    path: '/warmpool/status',
    operation: 'warmPoolStatus',
    tag: TAG,
    summary: 'Shows how full the pools are; of a single pool also flat.',
    query: NamespaceQuery,
    answers: {
      200: Type.Partial(Type.Object({ pools: Type.Array(Type.Object(PoolStatus)), ...Counts })),
    },
  },
  {
    method: 'put',
    path: '/warmpool/config',
    operation: 'configureWarmPools',
    tag: TAG,
    summary: 'Makes these the pools of a namespace: others of it are deleted.',
    admin: true,
    query: WriteQuery,
    body: {
      schema: Type.Partial(
        Type.Object({ pools: Type.Array(Wish), template: Text, desiredCount: Type.Integer() }),
      ),
      limit: SMALL_LIMIT,
      own: true,
    },
    answers: { 200: Type.Object({ status: Type.Literal('updated'), pools: Type.Array(Wish) }) },
  },
  {
    method: 'get',
    path: '/warmpools',
    operation: 'listWarmPools',
    tag: TAG,
    summary: 'Lists the pools, of all namespaces or of one.',
    query: pageQuery({ namespace: Type.Optional(Text) }),
    answers: { 200: Type.Object({ pools: Type.Array(Pool), continue: Continue }) },
  },
  {
    method: 'post',
    path: '/warmpools',
    operation: 'createWarmPool',
    tag: TAG,
    summary: 'Creates a pool; admission has the say.',
    admin: true,
    query: WriteQuery,
    body: {
      schema: Type.Object({ name: Text, namespace: Type.Optional(Text), spec: AnyObject }),
      limit: SMALL_LIMIT,
    },
    answers: { 201: Pool },
  },
  {
    method: 'get',
    path: '/warmpools/:name',
    operation: 'getWarmPool',
    tag: TAG,
    summary: 'Shows one pool.',
    query: NamespaceQuery,
    answers: { 200: Pool },
  },
  {
    method: 'put',
    path: '/warmpools/:name',
    operation: 'replaceWarmPool',
    tag: TAG,
    summary: 'Replaces what is asked of a pool; with resourceVersion only what was read.',
    admin: true,
    query: WriteQuery,
    body: {
      schema: Type.Object({ spec: AnyObject, resourceVersion: Type.Optional(Text) }),
      limit: SMALL_LIMIT,
    },
    answers: { 200: Pool },
  },
  {
    method: 'delete',
    path: '/warmpools/:name',
    operation: 'deleteWarmPool',
    tag: TAG,
    summary: 'Deletes a pool and its free pods.',
    admin: true,
    query: WriteQuery,
    answers: { 204: 'nothing' },
  },
] as const satisfies readonly Route[];
