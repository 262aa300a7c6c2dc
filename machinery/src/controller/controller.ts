// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import { isConflict } from '../kube/errors.ts';
import type { Logger } from '../telemetry/log.ts';
import type { WorkQueue } from './workqueue.ts';

/** What a reconcile asks for: nothing, or to be called again after a time even if nothing changes. */
export type ReconcileResult = void | { readonly requeueAfterMs?: number | undefined };

export interface ControllerMetrics {
  reconciled(result: 'success' | 'requeue' | 'error', seconds: number): void;
}

export interface ControllerOptions {
  readonly name: string;
  readonly queue: WorkQueue;
  /** Keys worked on at the same time; default 1. */
  readonly workers?: number | undefined;
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>;
  readonly log: Logger;
  readonly metrics?: ControllerMetrics | undefined;
  readonly signal: AbortSignal;
}

/**
 * Runs `reconcile` for the queue's keys until the signal aborts; resolves when every running reconcile has ended. One
 * that throws is logged and repeated with its key's backoff; one that resolves ends the backoff.
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const { queue, signal, workers = 1 } = options;
  const stop = (): void => queue.shutDown();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const breather = createBreather();
  await Promise.all(Array.from({ length: workers }, () => work(options, breather)));
  signal.removeEventListener('abort', stop);
}

/** Milliseconds that reconciles may take the process for themselves. */
const TURN_MS = 10;

/**
 * Lets the rest of the process have a turn from time to time. A reconcile that finds nothing to do waits for nothing, so
 * thousands of them in a row would be one piece of work, before which no watch, lease or probe is heard.
 */
function createBreather(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < TURN_MS) return undefined;
    return setImmediate().then(() => void (since = performance.now()));
  };
}

async function work(options: ControllerOptions, breather: () => Promise<void> | undefined): Promise<void> {
  const { queue, signal } = options;
  for (;;) {
    await breather();
    const key = await queue.get();
    if (key === undefined) return;
    try {
      // Keys still queued at shutdown belong to the next leader, which lists everything anyway.
      if (!signal.aborted) await reconcileOne(options, key);
    } finally {
      queue.done(key);
    }
  }
}

async function reconcileOne(options: ControllerOptions, key: string): Promise<void> {
  const { name, queue, reconcile, log, metrics, signal } = options;
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  try {
    const after = (await reconcile(key, signal))?.requeueAfterMs;
    queue.forget(key);
    if (after !== undefined) queue.addAfter(key, after);
    metrics?.reconciled(after === undefined ? 'success' : 'requeue', seconds());
  } catch (error) {
    if (signal.aborted) return;
    queue.addRateLimited(key);
    metrics?.reconciled('error', seconds());
    const fields = { err: error, controller: name, key, failures: queue.failures(key) };
    // Losing a race against another writer is normal and cured by the repetition.
    if (isConflict(error)) log.debug(fields, 'reconcile lost against another writer');
    else log.error(fields, 'reconcile failed');
  }
}
