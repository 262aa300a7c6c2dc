// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { actorDigest } from '@agenttier/crds/sandbox/agentConfig';
import type { Target } from '../../../cluster/target.ts';
import { ACTOR_HEADER } from '../runtime.ts';
import type { AskRuntime } from '../runtime.ts';

/** An id of the same shape as the runtime's own, which nobody can guess. */
export const newInvokeId = (): string => `inv-${randomBytes(12).toString('hex')}`;

export interface Abandoned {
  readonly invokeId: string;
  readonly target: Target;
  readonly sub: string;
}

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 100;
const ANSWER_MS = 5_000;

/**
 * Cancels an invocation whose caller has left without having learned its id: nobody can come back to it. The runtime may
 * be about to begin it only now, since the request for it travels on a connection of its own: until it is found, it is
 * asked for a few times (over 3 seconds). What is missed then is ended by the runtime when its time to resume is over.
 */
export async function cancelAbandoned(
  runtime: AskRuntime,
  { invokeId, target, sub }: Abandoned,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, { ref: false });
    const status = await askOnce(runtime, { invokeId, target, sub });
    if (status === 204) return;
  }
}

/** What the runtime answers; undefined when it did not. */
async function askOnce(runtime: AskRuntime, { invokeId, target, sub }: Abandoned) {
  try {
    const { status, stream } = await runtime.request(target, {
      method: 'DELETE',
      path: `/invoke/${invokeId}`,
      headers: { [ACTOR_HEADER]: actorDigest(sub) },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    stream.resume(); // only the status counts
    return status;
  } catch {
    return undefined;
  }
}
