// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import type { Server } from './server.ts';

export type ClusterStatus = Operations['clusterStatus']['answer'];
export type PoolStatus = NonNullable<Operations['warmPoolStatus']['answer']['pools']>[number];

export interface Glance {
  readonly cluster: ClusterStatus;
  readonly pools: readonly PoolStatus[];
}

export async function glance({ api }: Server, signal: AbortSignal): Promise<Glance> {
  const [cluster, { pools = [] }] = await Promise.all([
    api.clusterStatus({}, { signal }),
    api.warmPoolStatus({}, { signal }),
  ]);
  return { cluster, pools };
}

export type Nodes = Operations['listNodes']['answer'];
export type ClusterNode = Nodes['nodes'][number];

export const listNodes = ({ api }: Server, signal: AbortSignal): Promise<Nodes> =>
  api.listNodes({}, { signal });
