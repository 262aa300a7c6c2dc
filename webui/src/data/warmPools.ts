// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import type { Server } from './server.ts';

export type WarmPool = Operations['listWarmPools']['answer']['pools'][number];

export interface NewPool {
  readonly name: string;
  /** Empty = the server's own default. */
  readonly namespace: string;
  readonly template: string;
  readonly replicas: number;
}

export async function listWarmPools(
  { api }: Server,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly WarmPool[]> {
  return (await api.listWarmPools({ query: namespace === '' ? {} : { namespace } }, { signal })).pools;
}

export const createWarmPool = (
  { api }: Server,
  { name, namespace, template, replicas }: NewPool,
): Promise<WarmPool> =>
  api.createWarmPool({
    body: {
      name,
      ...(namespace === '' ? {} : { namespace }),
      spec: { templateRef: { name: template }, replicas },
    },
  });

/**
 * Changes the size and nothing else: it is put into what is asked of the pool now, whatever was shown, and the version
 * that was read keeps a change in between from being undone.
 */
export async function resizeWarmPool({ api }: Server, pool: WarmPool, replicas: number): Promise<WarmPool> {
  const place = { params: { name: pool.name }, query: { namespace: pool.namespace } };
  const { spec, resourceVersion } = await api.getWarmPool(place);
  return api.replaceWarmPool({ ...place, body: { spec: { ...spec, replicas }, resourceVersion } });
}

export async function deleteWarmPool({ api }: Server, { name, namespace }: WarmPool): Promise<void> {
  await api.deleteWarmPool({ params: { name }, query: { namespace } });
}
