// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Health } from './health.ts';

export interface DrainOptions {
  /** Starts the drain when it aborts. */
  readonly signal: AbortSignal;
  readonly health: Health;
  /** Closed together, after the delay. */
  readonly servers: readonly { close(): Promise<void>; drain?(): void }[];
  /**
   * How long requests are still taken while readiness is already false. Endpoints are removed from Services some time
   * after SIGTERM, not before: closing at once would refuse requests that are on their way. Default 3 000.
   */
  readonly delayMs?: number | undefined;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

/** Waits for the signal, then: not ready and every answer the last on its connection, a
 * pause, servers closed in good order. Resolves when all are closed. */
export async function drainOnAbort(options: DrainOptions): Promise<void> {
  const { signal, health, servers, log, clock = systemClock, delayMs = 3000 } = options;
  await new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  health.startDraining();
  for (const server of servers) server.drain?.();
  log.info({ delayMs }, 'draining');
  await clock.sleep(delayMs);
  await Promise.all(servers.map((server) => server.close()));
  log.info('drained');
}
