// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { SMALL_LIMIT, Text } from '../schemas.ts';

const TAG = 'Cluster';

const Amount = Type.Object({ cpuMillis: Type.Number(), memBytes: Type.Number() });

const Headroom = Type.Object({
  replicas: Type.Integer(),
  cpu: Text,
  memory: Text,
  readyReplicas: Type.Integer(),
  enabled: Type.Boolean({ description: 'whether the chart has made any placeholders' }),
});

export const clusterRoutes = [
  {
    method: 'get',
    path: '/cluster/status',
    operation: 'clusterStatus',
    tag: TAG,
    summary: 'Shows the cluster at a glance.',
    answers: {
      200: Type.Object({
        nodes: Type.Integer(),
        nodesReady: Type.Integer(),
        pods: Type.Integer(),
        sandboxPods: Type.Integer(),
        headroomReady: Type.Integer(),
        autoscalerEnabled: Type.Boolean(),
        sandboxes: Type.Integer(),
        sandboxesRunning: Type.Integer(),
        warmPods: Type.Integer(),
      }),
    },
  },
  {
    method: 'get',
    path: '/cluster/nodes',
    operation: 'listNodes',
    tag: TAG,
    summary: 'Lists the nodes with what there is and what pods have asked for.',
    admin: true,
    answers: {
      200: Type.Object({
        nodes: Type.Array(
          Type.Object({
            name: Text,
            ready: Type.Boolean(),
            instanceType: Type.Optional(Text),
            nodeGroup: Type.Optional(Text),
            allocatable: Amount,
            requests: Amount,
          }),
        ),
        summary: Type.Object({
          ready: Type.Integer(),
          total: Type.Integer(),
          cpuSaturationPct: Type.Number(),
          memSaturationPct: Type.Number(),
          allocatable: Amount,
          requests: Amount,
        }),
      }),
    },
  },
  {
    method: 'get',
    path: '/cluster/headroom',
    operation: 'getHeadroom',
    tag: TAG,
    summary: 'Shows the placeholders that keep room on the nodes.',
    answers: { 200: Headroom },
  },
  {
    method: 'put',
    path: '/cluster/headroom',
    operation: 'setHeadroom',
    tag: TAG,
    summary: 'Changes their number and size.',
    admin: true,
    body: {
      schema: Type.Object({
        replicas: Type.Integer({ minimum: 0, maximum: 50 }),
        cpu: Type.Optional(
          Type.String({ description: 'a quantity such as "500m"; left out or empty: as it is' }),
        ),
        memory: Type.Optional(
          Type.String({ description: 'a quantity such as "1Gi"; left out or empty: as it is' }),
        ),
      }),
      limit: SMALL_LIMIT,
    },
    answers: { 200: Headroom },
  },
] as const satisfies readonly Route[];
