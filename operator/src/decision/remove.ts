// SPDX-License-Identifier: Apache-2.0
import { FINALIZER } from '@agenttier/crds/meta/labels';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { statusStage } from '../sandbox/status.ts';
import type { Outcome } from './outcome.ts';
import { isRetained, releaseData } from '../volume/retain.ts';
import { deletionOf, planOf } from './actions.ts';
import type { Action, Plan } from './actions.ts';
import { no } from './finding.ts';
import { SAFETY_MS, timeOf } from './deadlines.ts';
import { deletePod } from './down.ts';
import { DELETE_LIMIT, stopTurn, withTurn } from './hooks.ts';

/**
 * Takes a deleted Sandbox apart: its last hook, the pod, then its volume, then the finalizer. The volume waits for the pod because its
 * data must not vanish under running programs. ServiceAccount, Secret and NetworkPolicy are left to the garbage
 * collector by their owner reference: so the network stays closed for as long as anything of the sandbox runs.
 * So are snapshots. A volume that is to be retained is let go of instead, and its snapshots with it. Nothing here looks at
 * more of the spec or creates anything, so it also works in a namespace that is itself being deleted.
 */
export function planRemove(state: SandboxState, now: number): Plan {
  const { sandbox, pod } = state;
  if (!sandbox.metadata.finalizers?.includes(FINALIZER)) return planOf([]);
  const hook = stopTurn(state, DELETE_LIMIT);
  const said = sandbox.status?.phase === 'Deleting';
  const outcome = withTurn(said ? { ...DELETING, events: [] } : DELETING, hook);
  const saying = said && hook.changes === undefined ? [] : statusStage(state, outcome, now);
  if (hook.wait) return planOf([saying, hook.actions], SAFETY_MS);
  // While the pod ends there is only waiting: its removal arrives by watch.
  if (pod !== undefined) return planOf([[...saying, ...deletePod(state)]]);
  return planEnd(state, saying, now);
}

/** Nothing runs any more. */
function planEnd(state: SandboxState, saying: readonly Action[], now: number): Plan {
  const left = noticesLeftMs(state, now);
  if (saying.length === 0 && left > 0) return planOf([dataActions(state)], left);
  return planOf([saying, dataActions(state), [{ do: 'releaseFinalizer' }]]);
}

/** Taking events into the outbox lasts moments; a deletion waits for no more than this. */
const NOTICES_MS = 30_000;

/** Milliseconds for which the object is still kept because it carries events that are not in the outbox yet. */
function noticesLeftMs({ sandbox }: SandboxState, now: number): number {
  const deletedAt = timeOf(sandbox.metadata.deletionTimestamp) ?? 0;
  const waiting = (sandbox.status?.notices ?? []).length > 0;
  return waiting ? Math.max(0, deletedAt + NOTICES_MS - now) : 0;
}

const DELETING: Outcome = {
  phase: 'Deleting',
  reason: 'Deleting',
  message: 'the pod is stopped first, then the volume is deleted',
  pod: no('Deleting', 'the sandbox is being deleted'),
  events: [{ type: 'Normal', reason: 'Deleting', note: 'Sandbox is being deleted' }],
};

function dataActions(state: SandboxState): Action[] {
  const retained = isRetained(state.sandbox.spec?.resolved?.spec);
  return retained ? releaseData(state) : deleteData(state);
}

/** The garbage collector would do the same by owner reference, as far as there is one. */
function deleteData({ pvc, snapshots = [] }: SandboxState): Action[] {
  const claim = pvc === undefined || isTerminating(pvc) ? [] : [deletionOf('pvc', pvc)];
  return [
    ...claim,
    ...snapshots.filter((one) => !isTerminating(one)).map((one) => deletionOf('snapshot', one)),
  ];
}
