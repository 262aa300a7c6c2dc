// SPDX-License-Identifier: Apache-2.0
import { FINALIZER } from '@agenttier/crds/meta/labels';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { statusStage } from '../sandbox/status.ts';
import type { Action, Plan } from './actions.ts';
import { no } from './conditions.ts';
import { deletePod } from './down.ts';

/**
 * Takes a deleted Sandbox apart: the pod, then its volume, then the finalizer. The volume waits for the pod because its
 * data must not vanish under running programs. ServiceAccount, Secret and NetworkPolicy are left to the garbage
 * collector by their owner reference: so the network stays closed for as long as anything of the sandbox runs.
 * Nothing here looks at the spec or creates anything, so it also works in a namespace that is itself being deleted.
 */
export function planRemove(state: SandboxState, now: number): Plan {
  const { sandbox, pod, pvc } = state;
  if (!sandbox.metadata.finalizers?.includes(FINALIZER)) return { stages: [] };
  const saying = statusStage(
    state,
    {
      phase: 'Deleting',
      reason: 'Deleting',
      message: pod === undefined ? 'the volume is being deleted' : 'the pod is being stopped',
      pod: no('Deleting', 'the sandbox is being deleted'),
      events:
        sandbox.status?.phase === 'Deleting'
          ? []
          : [{ type: 'Normal', reason: 'Deleting', note: 'Sandbox is being deleted' }],
    },
    now,
  );
  // While the pod ends there is only waiting: its removal arrives by watch.
  if (pod !== undefined) return { stages: nonEmpty([[...saying, ...deletePod(state)]]) };
  const volume: Action[] =
    pvc === undefined || isTerminating(pvc)
      ? []
      : [{ do: 'delete', kind: 'pvc', name: pvc.metadata.name ?? '', uid: pvc.metadata.uid ?? '' }];
  return {
    stages: nonEmpty([
      sandbox.status?.phase === 'Deleting' ? [] : saying,
      volume,
      [{ do: 'releaseFinalizer' }],
    ]),
  };
}

const nonEmpty = (stages: Action[][]): Action[][] => stages.filter((stage) => stage.length > 0);
