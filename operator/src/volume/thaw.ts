// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_QUIESCED, SNAPSHOT_KINDS } from '@agenttier/crds/meta/labels';
import type { VolumeSnapshot } from '../core.ts';
import type { Action } from '../decision/actions.ts';
import { timeOf } from '../decision/deadlines.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { CUT_LIMIT_MS } from './cut.ts';
import { faultOf, isCut, kindOf } from './snapshot.ts';

/**
 * Lets programs go on once their snapshot is cut, or will not be. After the limit they go on without us. Before a stop
 * they do not: what they wrote then would be in no snapshot.
 */
export function thawActions(state: SandboxState, now: number, goingDown: boolean): Action[] {
  return (state.snapshots ?? []).flatMap((snapshot) => {
    const last = goingDown && kindOf(snapshot) === SNAPSHOT_KINDS.stop;
    const over = isCut(snapshot) || faultOf(snapshot) !== undefined;
    const asked = timeOf(snapshot.metadata.creationTimestamp) ?? 0;
    if (last || !over || now - asked > CUT_LIMIT_MS) return [];
    return thaw(state, snapshot) ?? [];
  });
}

function thaw(state: SandboxState, { metadata }: VolumeSnapshot): Action | undefined {
  const [podName, podUid, sandboxUid] = (metadata.annotations?.[ANNOTATION_QUIESCED] ?? '').split('/');
  if (!podName || !podUid || !sandboxUid) return undefined;
  const id = `${podUid}/unquiesce/${metadata.name}`;
  if (state.observations.jobs?.has(id)) return undefined;
  const call = { method: 'POST', path: '/unquiesce' } as const;
  return { do: 'runJob', podName, podUid, sandboxUid, id, call };
}
