// SPDX-License-Identifier: Apache-2.0
import type { SandboxState } from '../sandbox/state.ts';
import { isTerminating } from '../sandbox/state.ts';
import { statusStage } from '../sandbox/status.ts';
import type { Outcome } from './outcome.ts';
import { deletionOf, planOf } from './actions.ts';
import type { Action, EventNote, Plan, Tally } from './actions.ts';
import { CONDITION_TYPES, findCondition } from '@agenttier/crds/meta/conditions';
import { no } from './finding.ts';
import type { Finding } from './finding.ts';
import { SAFETY_MS } from './deadlines.ts';
import { driftActions } from './drift.ts';
import { EXPIRED_EVENTS } from './expiring.ts';
import type { Hold } from './hold.ts';
import { NO_STOP, stopSnapshot } from '../volume/stopSnapshot.ts';
import { NO_TURN, stopTurn, withTurn } from './hooks.ts';

/** A sandbox that is to have no pod, and why. `hold` is absent when the user's own spec says so. */
export interface Down {
  readonly outcome: 'Stopped' | 'Error';
  readonly reason: string;
  readonly message: string;
  readonly hold?: Hold | undefined;
  readonly changes?: Outcome['changes'];
  /** The condition PodReady, when it says more than the reason does. */
  readonly pod?: Finding | undefined;
  /** The annotation `agenttier.io/action` was the command: it is taken away once the hold is stored. */
  readonly clearAction?: boolean;
}

/** Reason of the status while the pod is on its way out by our own hand. */
export const STOPPING = 'Stopping';

/**
 * Ends the pod and says so. The status (with the hold) is stored before the pod is deleted: whoever finds the pod
 * terminating afterwards, another operator included, knows that it was meant and does not heal it. The hook onStop and
 * the snapshot of the stop come in between.
 */
export function planDown(state: SandboxState, down: Down, now: number): Plan {
  const clear: Action[] = down.clearAction ? [{ do: 'clearAction' }] : [];
  const hook = down.outcome === 'Stopped' ? stopTurn(state) : NO_TURN;
  // What the hook writes is to be in the snapshot.
  const snapshot = hook.wait || down.outcome !== 'Stopped' ? NO_STOP : stopSnapshot(state, now);
  const end = hook.wait || snapshot.wait ? hook.actions : deletePod(state);
  const stages = [
    statusStage(state, withTurn(downOutcome(state, down), hook), now),
    [...snapshot.actions, ...end, ...clear, ...keepRight(state, now)],
  ];
  return hook.wait || snapshot.wait ? planOf(stages, snapshot.waitMs ?? SAFETY_MS) : planOf(stages);
}

export function deletePod(state: SandboxState): Action[] {
  const { pod } = state;
  if (pod === undefined || isTerminating(pod)) return [];
  return [deletionOf('pod', pod)];
}

/**
 * A stopped sandbox keeps its volume and its closed network; nothing is made that was never there. While its pod is
 * still ending, all of it must be there.
 */
function keepRight(state: SandboxState, now: number): Action[] {
  const create = state.pod !== undefined;
  return state.resolution.ok ? driftActions(state, state.resolution.spec, { now, create }) : [];
}

function downOutcome(state: SandboxState, down: Down): Outcome {
  const before = state.sandbox.status?.phase;
  // Stopped is said only once the pod is gone: until then a resume has to wait for the volume.
  if (down.outcome === 'Stopped' && state.pod !== undefined) return stoppingOutcome(state, down);
  const entered = before !== down.outcome;
  return {
    phase: down.outcome,
    reason: down.reason,
    message: down.message,
    pod: down.pod ?? lastPodFinding(state, down),
    hold: down.hold,
    changes: { startedAt: undefined, ...down.changes },
    events: entered ? [downEvent(down)] : [],
    tallies: entered && down.outcome === 'Stopped' ? [stopTally(down.reason)] : [],
  };
}

/** An Error keeps showing what its last pod died of. */
function lastPodFinding({ sandbox }: SandboxState, down: Down): Finding {
  const last = findCondition(sandbox.status?.conditions, CONDITION_TYPES.podReady);
  const kept = down.outcome === 'Error' && sandbox.status?.phase === 'Error' && last?.status === 'False';
  return kept ? no(last.reason, last.message) : no(down.reason, down.message);
}

const stoppingOutcome = ({ sandbox }: SandboxState, down: Down): Outcome => ({
  phase: 'Running',
  reason: STOPPING,
  message: down.message,
  pod: no(STOPPING, down.message),
  hold: down.hold,
  changes: { startedAt: undefined, ...down.changes },
  events: sandbox.status?.reason === STOPPING ? [] : expiredEvents(down),
});

function expiredEvents({ reason, message }: Down): EventNote[] {
  const word = EXPIRED_EVENTS[reason];
  return word === undefined
    ? []
    : [{ type: 'Normal', reason: word, note: `Sandbox is being stopped: ${message}` }];
}

const stopTally = (reason: string): Tally => ({ metric: 'stop', reason });

function downEvent({ outcome, reason, message }: Down): EventNote {
  return outcome === 'Stopped'
    ? { type: 'Normal', reason: 'Stopped', note: `${reason}: ${message}` }
    : { type: 'Warning', reason: 'Error', note: `${reason}: ${message}` };
}

/** Puts a hold in force. */
export function planHold(
  state: SandboxState,
  hold: Hold,
  now: number,
  more: Pick<Down, 'changes' | 'pod'> = {},
): Plan {
  return planDown(state, { ...hold, hold, ...more }, now);
}
