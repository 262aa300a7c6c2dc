// SPDX-License-Identifier: Apache-2.0
import { FINALIZER } from '@agenttier/crds/meta/labels';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { statusStage } from '../sandbox/status.ts';
import type { Outcome } from '../sandbox/status.ts';
import { planOf } from './actions.ts';
import type { Action, Plan } from './actions.ts';
import { no } from './conditions.ts';
import { SAFETY_MS } from './deadlines.ts';
import { deletePod } from './down.ts';
import { DELETE_LIMIT, stopTurn, withTurn } from './hooks.ts';

/**
 * Takes a deleted Sandbox apart: its last hook, the pod, then its volume, then the finalizer. The volume waits for the pod because its
 * data must not vanish under running programs. ServiceAccount, Secret and NetworkPolicy are left to the garbage
 * collector by their owner reference: so the network stays closed for as long as anything of the sandbox runs.
 * Nothing here looks at the spec or creates anything, so it also works in a namespace that is itself being deleted.
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
  return planOf([saying, deleteVolume(state), [{ do: 'releaseFinalizer' }]]);
}

const DELETING: Outcome = {
  phase: 'Deleting',
  reason: 'Deleting',
  message: 'the pod is stopped first, then the volume is deleted',
  pod: no('Deleting', 'the sandbox is being deleted'),
  events: [{ type: 'Normal', reason: 'Deleting', note: 'Sandbox is being deleted' }],
};

function deleteVolume({ pvc }: SandboxState): Action[] {
  if (pvc === undefined || isTerminating(pvc)) return [];
  return [{ do: 'delete', kind: 'pvc', name: pvc.metadata.name ?? '', uid: pvc.metadata.uid ?? '' }];
}
