// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import { keyOf } from '@agenttier/machinery/reflector/store';
import type { Caches } from '../caches.ts';

/** Index of sandboxes that have no volume yet by what it is to be made from: `Kind/namespace/name`. */
export const BY_ORIGIN = 'origin';

export function originsOf({ metadata, spec, status }: Sandbox): string[] {
  const { namespace } = metadata;
  if (status?.pvcName) return [];
  return [
    ...(spec?.cloneFrom ? [`Sandbox/${namespace}/${spec.cloneFrom.sandbox}`] : []),
    ...(spec?.cloneFromSnapshot ? [`VolumeSnapshot/${namespace}/${spec.cloneFromSnapshot}`] : []),
  ];
}

/** Wakes sandboxes that wait for what they are to be copies of. */
export function feedOrigins(caches: Caches, queue: WorkQueue): (() => void)[] {
  const wake = (origin: string): void => {
    for (const sandbox of caches.sandboxes.byIndex(BY_ORIGIN, origin)) queue.add(keyOf(sandbox));
  };
  return [
    caches.sandboxes.subscribe(({ object }) => wake(`Sandbox/${keyOf(object)}`)),
    caches.snapshots.store.subscribe(({ object }) => wake(`VolumeSnapshot/${keyOf(object)}`)),
  ];
}
