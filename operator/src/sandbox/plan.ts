// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_ACTION } from '@agenttier/crds/meta/labels';
import { planOf } from '../decision/actions.ts';
import type { Plan } from '../decision/actions.ts';
import { RESUMING } from '../decision/drift.ts';
import { planDown } from '../decision/down.ts';
import { activeHold, holdOf } from '../decision/hold.ts';
import { withLostNode } from '../decision/lostNode.ts';
import { planRemove } from '../decision/remove.ts';
import { planRun } from '../decision/run.ts';
import { RESUMED } from '../decision/start.ts';
import { no } from '../decision/finding.ts';
import { withChores } from '../volume/chores.ts';
import { surplusRemovals } from '../decision/warm.ts';
import { statusStage } from './status.ts';
import type { Outcome } from '../decision/outcome.ts';
import type { SandboxState } from './state.ts';

const BY_USER = 'stopped by its user';

/**
 * What to do next about one sandbox: pure, so that the whole life cycle is a table. `now` is milliseconds since the
 * epoch. Called again on the result of its own actions it has nothing more to do, and it never asks for a second pod.
 */
export function plan(state: SandboxState, now: number): Plan {
  const next = withLostNode(planOne(state, now), state, now);
  const surplus = surplusRemovals(state);
  return surplus.length === 0 ? next : { ...next, stages: [surplus, ...next.stages] };
}

function planOne(state: SandboxState, now: number): Plan {
  const { sandbox } = state;
  if (sandbox.metadata.deletionTimestamp !== undefined) return planRemove(state, now);
  return withChores(planLife(state, now), state, now);
}

function planLife(state: SandboxState, now: number): Plan {
  const { sandbox } = state;
  const command = sandbox.metadata.annotations?.[ANNOTATION_ACTION];
  if (sandbox.spec?.desiredState === 'Stopped') {
    const down = { outcome: 'Stopped', reason: 'UserRequested', message: BY_USER } as const;
    return planDown(state, { ...down, clearAction: command !== undefined }, now);
  }
  if (command === 'stop') {
    const hold = holdOf('UserRequested', BY_USER);
    return planDown(state, { ...hold, hold, clearAction: true }, now);
  }
  const hold = activeHold(sandbox);
  if (command === 'resume' && hold !== undefined) return planRelease(state, now);
  if (hold !== undefined) return planDown(state, { ...hold, hold }, now);
  const next = planRun(state, now);
  return command === undefined ? next : { ...next, stages: [...next.stages, [{ do: 'clearAction' }]] };
}

/** The hold is taken off the status before the command that asked for it is taken away, never the other way round. */
function planRelease(state: SandboxState, now: number): Plan {
  const message = 'the sandbox is being resumed';
  const outcome: Outcome = {
    phase: 'Creating',
    reason: RESUMING,
    message,
    pod: no(RESUMING, message),
    changes: { restartCount: undefined },
    events: [RESUMED],
  };
  return planOf([statusStage(state, outcome, now), [{ do: 'clearAction' }]], 1);
}
