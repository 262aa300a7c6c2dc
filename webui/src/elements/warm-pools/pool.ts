// SPDX-License-Identifier: Apache-2.0
import type { WarmPool } from '../../data/warmPools.ts';
import type { Tone } from '../../parts/figures.ts';

/** Names repeat over namespaces. */
export const keyOf = ({ namespace, name }: Pick<WarmPool, 'namespace' | 'name'>): string =>
  `${namespace}/${name}`;

export function toneOfPool({
  readyCount,
  desiredCount,
  failedCount,
}: Pick<WarmPool, 'readyCount' | 'desiredCount' | 'failedCount'>): Tone {
  if (readyCount >= desiredCount) return 'good';
  return failedCount > 0 ? 'bad' : 'busy';
}

/** Between which numbers the size follows demand; undefined = it is fixed. */
export function boundsOf({ spec }: Pick<WarmPool, 'spec'>): { min: number; max: number } | undefined {
  const autoscale = spec['autoscale'];
  if (typeof autoscale !== 'object' || autoscale === null) return undefined;
  const { min = 0, max = 0 } = autoscale as { readonly min?: number; readonly max?: number };
  return { min, max };
}
