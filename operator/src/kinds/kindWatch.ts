// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import type { ReflectorMetrics } from '@agenttier/machinery/reflector/reflector';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { isServed } from './kindCache.ts';
import type { KindCache } from './kindCache.ts';

export interface KindWatchOptions<T extends KubeObject> {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly resource: Resource;
  readonly labelSelector?: string;
  readonly cache: KindCache<T>;
  readonly log: Logger;
  readonly metrics?: ReflectorMetrics | undefined;
  /** Bounds of the delay between attempts, as a Reflector has them. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number } | undefined;
}

/**
 * Watches the objects of a kind for as long as the cluster has that kind. It may come after us, with the program that it
 * belongs to, and go: a watch of a kind that is not served fails for ever, and would tell nothing apart.
 */
export function watchKind<T extends KubeObject>(
  options: KindWatchOptions<T>,
  signal: AbortSignal,
): () => void {
  const { kinds } = options.cache;
  let run: AbortController | undefined;
  const judge = (): void => {
    const served = kinds.list().some((kind) => isServed(kind));
    if (served && run === undefined) {
      run = new AbortController();
      void follow(options, AbortSignal.any([signal, run.signal]));
    } else if (!served && run !== undefined) {
      run.abort();
      run = undefined;
      options.cache.setAvailable(false);
    }
  };
  const stop = kinds.subscribe(judge);
  judge();
  return () => {
    stop();
    run?.abort();
  };
}

async function follow<T extends KubeObject>(
  { cache, ...options }: KindWatchOptions<T>,
  signal: AbortSignal,
): Promise<void> {
  const reflector = new Reflector<T>({ ...options, store: cache.store });
  const running = reflector.run(signal);
  await reflector.synced().then(
    () => cache.setAvailable(true),
    () => undefined, // stopped before it had read anything
  );
  await running;
}
