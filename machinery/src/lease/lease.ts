// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '../kube/client.ts';
import { reasonOf, systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import { Candidate } from './candidate.ts';

export interface LeaseOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'update'>;
  readonly namespace: string;
  readonly name: string;
  /** Unique per process, for instance the pod's name and a random part. */
  readonly identity: string;
  /** How long others wait after they last saw the lease renewed. Default 15. */
  readonly leaseSeconds?: number | undefined;
  /** How long the holder may fail to renew before it gives up. Default 10; must be below `leaseSeconds`. */
  readonly renewDeadline?: number | undefined;
  /** Seconds between attempts. Default 2; must be below `renewDeadline`. */
  readonly retryPeriod?: number | undefined;
  /** The work of the leader. Must end when its signal aborts. */
  readonly onLead: (signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  readonly log?: Logger | undefined;
  /** Told of every change, for a metric. */
  readonly onChange?: ((leading: boolean) => void) | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

/** The lease could not be renewed in time, or another process holds it. The process should exit and start afresh. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/**
 * Waits for the lease, runs `onLead` while holding it, and resolves when that is done or `signal` aborts; the lease is
 * released then, so that a hand-over takes one retry period. Rejects with LeaseLostError when the lease is lost (after
 * aborting `onLead`'s signal), or with what `onLead` threw.
 */
export async function runWithLease(options: LeaseOptions): Promise<void> {
  const settings = checked(options);
  const candidate = new Candidate(settings);
  if (!(await acquire(candidate, settings))) return;
  settings.log?.info({ lease: options.name, identity: options.identity }, 'leading');
  options.onChange?.(true);
  let lost = false;
  try {
    await lead(candidate, settings);
  } catch (error) {
    lost = error instanceof LeaseLostError;
    throw error;
  } finally {
    options.onChange?.(false);
    // After a loss the work may still be running: giving the lease away early would let two leaders write.
    if (!lost) await candidate.release();
  }
}

export type LeaseSettings = LeaseOptions & {
  readonly leaseSeconds: number;
  readonly renewDeadline: number;
  readonly retryPeriod: number;
  readonly clock: Clock;
  readonly random: () => number;
};

function checked(options: LeaseOptions): LeaseSettings {
  const { leaseSeconds = 15, renewDeadline = 10, retryPeriod = 2 } = options;
  if (leaseSeconds <= renewDeadline) throw new RangeError('leaseSeconds must be above renewDeadline');
  if (renewDeadline <= retryPeriod * 1.2)
    throw new RangeError('renewDeadline must be above 1.2 × retryPeriod');
  return {
    ...options,
    leaseSeconds,
    renewDeadline,
    retryPeriod,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
}

/** Tries until the lease is ours; false when the signal aborts before. */
async function acquire(candidate: Candidate, settings: LeaseSettings): Promise<boolean> {
  const { signal, clock, retryPeriod, random } = settings;
  while (!signal.aborted) {
    if ((await candidate.attempt(settings.renewDeadline * 1000)) === 'held') return true;
    // Jitter, so that candidates which start together do not collide at every attempt.
    await clock.sleep(retryPeriod * 1000 * (1 + 0.2 * random()), signal).catch(() => undefined);
  }
  return false;
}

/** Runs the work and renews beside it, until the work ends or the lease is lost. */
async function lead(candidate: Candidate, settings: LeaseSettings): Promise<void> {
  const work = new AbortController();
  const finished = new AbortController();
  const stop = (): void => work.abort(reasonOf(settings.signal));
  if (settings.signal.aborted) stop();
  settings.signal.addEventListener('abort', stop, { once: true });
  // Renewed until the work has really ended, not only until it was asked to: it may still be writing.
  const renewing = renew(candidate, settings, finished.signal).catch((error: unknown) => {
    work.abort(error);
    throw error;
  });
  renewing.catch(() => undefined);
  try {
    await Promise.race([settings.onLead(work.signal), renewing]);
  } catch (error) {
    if (!settings.signal.aborted || error instanceof LeaseLostError) throw error;
  } finally {
    settings.signal.removeEventListener('abort', stop);
    work.abort();
    finished.abort();
  }
}

/** Resolves when `finished` aborts, rejects with LeaseLostError when the lease is gone or too long not renewed. */
async function renew(candidate: Candidate, settings: LeaseSettings, finished: AbortSignal): Promise<void> {
  const { clock, retryPeriod, renewDeadline, name } = settings;
  let renewedAt = clock.monotonic();
  for (;;) {
    const left = renewDeadline * 1000 - (clock.monotonic() - renewedAt);
    if (left <= 0) throw new LeaseLostError(`lease ${name} could not be renewed within ${renewDeadline} s`);
    await clock.sleep(Math.min(retryPeriod * 1000, left), finished).catch(() => undefined);
    if (finished.aborted) return;
    // Counted from before the request: what others see of it cannot be older than that.
    const startedAt = clock.monotonic();
    const allowed = renewDeadline * 1000 - (startedAt - renewedAt);
    if (allowed <= 0) continue;
    const outcome = await candidate.attempt(allowed);
    if (outcome === 'held') renewedAt = startedAt;
    if (outcome === 'taken') throw new LeaseLostError(`lease ${name} is held by another process`);
  }
}
