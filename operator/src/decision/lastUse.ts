// SPDX-License-Identifier: Apache-2.0
import type { Expiry } from '@agenttier/crds/lifecycle/expiry';
import { runOf } from '@agenttier/crds/lifecycle/run';
import type { RuntimeAnswer } from '../runtime/client.ts';
import type { SandboxState } from '../sandbox/state.ts';
import type { Action } from './actions.ts';
import { expiryOf, SAFETY_MS, timeOf } from './deadlines.ts';

/** How the life of a sandbox goes on, with what the runtime knows of its last use. */
export interface LastUse {
  readonly life: Expiry;
  /** The question to the runtime, while it has no answer: nothing is warned of or stopped before that. */
  readonly ask: readonly Action[];
  /** A use that the status does not know yet, in milliseconds of the epoch. */
  readonly usedAt?: number;
}

/** The runtime answers from memory. One that is too busy to must not keep its sandbox up for ever. */
const ANSWER_MS = 2_000;

/**
 * The router and admission write down what they see, some seconds late; what goes over a connection past them (a shell
 * that kubectl opened, a run of an agent) only the runtime sees. So it is asked, once at the beginning of a warning and
 * once at the end, and never in between. A runtime that does not answer says nothing against the stop.
 */
export function lastUseOf(state: SandboxState, now: number): LastUse {
  const life = expiryOf(state, now);
  const stop = life.expired === 'IdleTimeout';
  if (!stop && life.warning?.reason !== 'IdleTimeout') return { life, ask: [] };
  const known = lastKnownUse(state);
  const ask = question(state, `${known}/${stop ? 'stop' : 'warning'}`);
  const answer = state.observations.jobs?.get(ask.id);
  if (answer === undefined) return { life: { nextCheckMs: SAFETY_MS }, ask: [ask] };
  const usedAt = usedIn(answer);
  return usedAt > known ? { life: expiryOf(state, now, usedAt), ask: [], usedAt } : { life, ask: [] };
}

function lastKnownUse({ sandbox }: SandboxState): number {
  const { startedAt = 0, lastActivityAt = 0 } = runOf(sandbox);
  return Math.max(startedAt, lastActivityAt);
}

function question({ pod }: SandboxState, about: string): Extract<Action, { do: 'runJob' }> {
  const { name = '', uid = '' } = pod?.metadata ?? {};
  const call = { method: 'GET', path: '/activity', timeoutMs: ANSWER_MS } as const;
  return { do: 'runJob', podName: name, podUid: uid, id: `${uid}/activity/${about}`, call };
}

/** Milliseconds of the epoch; 0 when there was none, or no answer. */
function usedIn(answer: RuntimeAnswer<unknown>): number {
  const body = answer.ok ? (answer.body as { readonly lastActivity?: unknown } | undefined) : undefined;
  return typeof body?.lastActivity === 'string' ? (timeOf(body.lastActivity) ?? 0) : 0;
}
