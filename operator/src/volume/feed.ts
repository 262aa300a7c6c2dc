// SPDX-License-Identifier: Apache-2.0
import type { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import { keyOf } from '@agenttier/machinery/reflector/store';
import type { Caches } from '../caches.ts';
import { BY_ORIGIN } from './origins.ts';

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
