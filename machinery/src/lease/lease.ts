// SPDX-License-Identifier: Apache-2.0
import { reasonOf } from '../runtime/clock.ts';
import { Candidate } from './candidate.ts';
import { checked } from './settings.ts';
import type { LeaseOptions, LeaseSettings } from './settings.ts';

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
