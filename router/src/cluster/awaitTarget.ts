// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { refusals } from '../api/errors.ts';
import { phaseOf, wantsToRun } from '../api/sandboxView.ts';
import type { Stores } from './caches.ts';
import { findTarget } from './target.ts';
import type { Target } from './target.ts';

type Watched = Pick<Stores, 'sandboxes' | 'pods' | 'tokens'>;

/**
 * A client that has just been told "Running" by another replica or by the API server may be ahead of our watches, and
 * the three of them are not in step either. A moment's patience turns what would be a wrong refusal into an answer.
 */
const PATIENCE_MS = 1500;
/** For a pod that is there while only its address or token is missing: there is another way in, so less is waited. */
const RUNTIME_PATIENCE_MS = 250;

/** The pod to work in, or the 409 that says what state the sandbox is in instead. */
export async function awaitTarget(stores: Watched, sandbox: Sandbox, signal?: AbortSignal): Promise<Target> {
  const started = performance.now();
  for (;;) {
    const { phase, target } = look(stores, sandbox);
    if (target?.runtime) return target;
    const left = (target ? RUNTIME_PATIENCE_MS : PATIENCE_MS) - (performance.now() - started);
    if (left > 0) await changed(stores, left, signal);
    else if (target) return target;
    else throw refusals.notRunning(phase === 'Running' ? 'replacing its pod' : phase);
  }
}

/** What is known now. Refuses at once what no patience would change: a sandbox that neither runs nor is about to. */
function look(stores: Watched, { metadata }: Sandbox): { phase: string; target: Target | undefined } {
  const sandbox = stores.sandboxes.get(metadata.namespace, metadata.name ?? '');
  if (!sandbox || sandbox.metadata.uid !== metadata.uid) throw refusals.notRunning('deleted');
  const phase = phaseOf(sandbox);
  if (phase !== 'Running' && phase !== 'Creating') throw refusals.notRunning(phase);
  if (!wantsToRun(sandbox)) throw refusals.notRunning('stopping');
  return { phase, target: phase === 'Running' ? findTarget(stores, sandbox) : undefined };
}

/** Resolves at the next change of anything watched, or after a while. */
function changed(stores: Watched, ms: number, signal?: AbortSignal): Promise<void> {
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
      stores.tokens.subscribe(done),
    ];
    signal?.addEventListener('abort', done, { once: true });
  });
}
