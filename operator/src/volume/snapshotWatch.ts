// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import type { ReflectorMetrics } from '@agenttier/machinery/reflector/reflector';
import type { Store } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { VolumeSnapshot } from '../core.ts';
import { isServed } from './snapshotCache.ts';
import type { Kind, SnapshotCache } from './snapshotCache.ts';

export interface SnapshotWatchOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  /** Holds the CRD of VolumeSnapshot, while there is one. */
  readonly kinds: Store<Kind>;
  readonly cache: SnapshotCache;
  readonly log: Logger;
  readonly metrics?: ReflectorMetrics | undefined;
}

/**
 * Watches VolumeSnapshots for as long as the cluster has such a kind. It may come after us, with the snapshot controller,
 * and go: a watch of a kind that is not served fails for ever, and would tell nothing apart.
 */
export function watchSnapshots(options: SnapshotWatchOptions, signal: AbortSignal): () => void {
  let run: AbortController | undefined;
  const judge = (): void => {
    const served = options.kinds.list().some((kind) => isServed(kind));
    if (served && run === undefined) {
      run = new AbortController();
      void follow(options, AbortSignal.any([signal, run.signal]));
    } else if (!served && run !== undefined) {
      run.abort();
      run = undefined;
      options.cache.setAvailable(false);
    }
  };
  const stop = options.kinds.subscribe(judge);
  judge();
  return () => {
    stop();
    run?.abort();
  };
}

async function follow(options: SnapshotWatchOptions, signal: AbortSignal): Promise<void> {
  const { client, cache, log, metrics } = options;
  const reflector = new Reflector<VolumeSnapshot>({
    client,
    resource: VOLUME_SNAPSHOTS,
    store: cache.store,
    log,
    metrics,
  });
  const running = reflector.run(signal);
  await reflector.synced().then(
    () => cache.setAvailable(true),
    () => undefined, // stopped before it had read anything
  );
  await running;
}
