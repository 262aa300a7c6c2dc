// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { activeHold } from '@agenttier/crds/lifecycle/hold';
import { refusals } from '../api/errors.ts';
import { phaseOf, wantsToRun } from '../api/sandboxes/view.ts';
import type { Stores } from './caches.ts';
import { findTarget } from './target.ts';
import type { Target } from './target.ts';

type Watched = Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;

/**
 * A client that has just been told "Running" by another replica or by the API server may be ahead of our watches, and
 * the three of them are not in step either. A moment's patience turns what would be a wrong refusal into an answer.
 */
const PATIENCE_MS = 1500;
/** For a pod that is there while only its address or token is missing: there is another way in, so less is waited. */
const RUNTIME_PATIENCE_MS = 250;
/** A pod that has been ready for longer will not get its token any more. */
const YOUNG_MS = 10_000;

export interface AwaitOptions {
  readonly signal?: AbortSignal;
  /** Longest wait in ms; default 1500. */
  readonly patienceMs?: number;
}

/** The pod to work in, or the 409 that says what state the sandbox is in instead. */
export async function awaitTarget(
  stores: Watched,
  sandbox: Sandbox,
  options: AwaitOptions = {},
): Promise<Target> {
  const { signal, patienceMs = PATIENCE_MS } = options;
  const started = performance.now();
  for (;;) {
    const seen = look(stores, sandbox);
    if (seen.target?.runtime) return seen.target;
    const left = Math.min(patienceMs, patienceFor(seen)) - (performance.now() - started);
    if (left > 0) await changed(stores, left, signal);
    else if (seen.target) return seen.target;
    else throw refusals.notRunning(seen.phase === 'Running' ? 'replacing its pod' : seen.phase);
  }
}

interface Seen {
  readonly phase: string;
  readonly target: Target | undefined;
  /** When the pod became ready, ms since the epoch; NaN while that is unknown. */
  readonly readyAt: number;
}

function patienceFor({ target, readyAt }: Seen): number {
  if (!target) return PATIENCE_MS;
  return Date.now() - readyAt > YOUNG_MS ? 0 : RUNTIME_PATIENCE_MS;
}

/** What is known now. Refuses at once what no patience would change: a sandbox that neither runs nor is about to. */
function look(stores: Watched, { metadata }: Sandbox): Seen {
  const sandbox = stores.sandboxes.get(metadata.namespace, metadata.name ?? '');
  if (!sandbox || sandbox.metadata.uid !== metadata.uid) throw refusals.notRunning('deleted');
  const phase = phaseOf(sandbox);
  if (phase !== 'Running' && phase !== 'Creating') throw refusals.notRunning(phase);
  if (isStopping(sandbox)) throw refusals.notRunning('stopping');
  const target = phase === 'Running' ? findTarget(stores, sandbox) : undefined;
  return { phase, target, readyAt: Date.parse(sandbox.status?.startedAt ?? '') };
}

const isStopping = (sandbox: Sandbox): boolean => !wantsToRun(sandbox) || activeHold(sandbox) !== undefined;

/** Resolves at the next change of anything watched, or after a while. */
export function changed(stores: Watched, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      for (const stop of stops) stop();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stops = [
      stores.sandboxes.subscribe(done),
      stores.pods.subscribe(done),
      stores.keys.subscribe(done),
    ];
    signal?.addEventListener('abort', done, { once: true });
  });
}
