// SPDX-License-Identifier: Apache-2.0
import type { Action, Plan } from '../decision/actions.ts';
import { planOf } from '../decision/actions.ts';
import { activeHold } from '../decision/hold.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { backupActions, slotOf } from './backup.ts';
import { pruneActions } from './prune.ts';
import { disown, isOwnerReferenced, isRetained } from './retain.ts';
import { kindOf } from './snapshot.ts';
import { SNAPSHOT_KINDS } from '@agenttier/crds/meta/labels';
import { thawActions } from './thaw.ts';

/**
 * The plan with what is due for the volume beside it, whatever the sandbox is doing: backups, their removal, programs that
 * are to go on. It comes last, so that nothing of it holds a start or a stop up.
 */
export function withChores(plan: Plan, state: SandboxState, now: number): Plan {
  const { sandbox } = state;
  const goingDown = sandbox.spec?.desiredState === 'Stopped' || activeHold(sandbox) !== undefined;
  const actions: Action[] = [
    ...thawActions(state, now, goingDown),
    ...backupActions(state, now),
    ...pruneActions(state, now),
    ...disownActions(state),
  ];
  const { next } = slotOf(state, now);
  const dues = [plan.requeueAfterMs, next === undefined ? undefined : Math.max(1, next - now)];
  const known = dues.filter((due) => due !== undefined);
  return planOf([...plan.stages, actions], known.length === 0 ? undefined : Math.min(...known));
}

/** Snapshots of a volume that is to outlive the sandbox outlive it, too, also those from before that was said. */
function disownActions({ snapshots = [], owner, resolution }: SandboxState): Action[] {
  if (!resolution.ok || !isRetained(resolution.spec)) return [];
  return snapshots
    .filter((one) => kindOf(one) !== SNAPSHOT_KINDS.clone && !isTerminating(one))
    .filter((one) => isOwnerReferenced(one, owner))
    .map((one) => disown('snapshot', one, owner));
}
