// SPDX-License-Identifier: Apache-2.0
import { SNAPSHOT_KINDS } from '@agenttier/crds/meta/labels';
import { snapshotName } from '@agenttier/crds/sandbox/snapshots';
import type { Pod, VolumeSnapshot } from '../core.ts';
import type { Action, EventNote } from '../decision/actions.ts';
import { timeOf } from '../decision/deadlines.ts';
import { retryValue } from '../decision/hold.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { beginCut, CUT_LIMIT_MS } from './cut.ts';
import { faultOf, isCut, NO_SNAPSHOTS, snapshotNamed } from './snapshot.ts';

/** What the pod's removal has to wait for, or what came of it. */
export interface StopTurn {
  readonly wait: boolean;
  readonly actions: readonly Action[];
  /** Milliseconds until it is not waited for any longer. */
  readonly waitMs?: number;
}

export const NO_STOP: StopTurn = { wait: false, actions: [] };

/**
 * The snapshot of a sandbox that is being stopped, before its pod goes. Once it is cut, cannot be, or has taken its
 * longest time, the stop goes on.
 */
export function stopSnapshot(state: SandboxState, now: number): StopTurn {
  const { pod, pvc } = state;
  if (!isWanted(state) || pod === undefined || isTerminating(pod)) return NO_STOP;
  if (pvc?.status?.phase !== 'Bound') return NO_STOP;
  if (state.snapshots === undefined) return failed(NO_SNAPSHOTS);
  const name = nameOf(state, pod);
  const made = snapshotNamed(state, name);
  return made === undefined
    ? beginStop(state, { name, claim: pvc.metadata.name ?? '', pod }, now)
    : progressOf(made, now);
}

const isWanted = ({ resolution }: SandboxState): boolean =>
  resolution.ok && resolution.spec.storage?.snapshotOnStop === true;

/** A stop that was taken back and came again is another one, in the same pod. */
function nameOf({ owner, sandbox }: SandboxState, pod: Pod): string {
  const occasion = [pod.metadata.uid, sandbox.metadata.generation, retryValue(sandbox)].join('/');
  return snapshotName(owner.name, SNAPSHOT_KINDS.stop, occasion);
}

interface Begin {
  readonly name: string;
  readonly claim: string;
  readonly pod: Pod;
}

function beginStop(state: SandboxState, { name, claim, pod }: Begin, now: number): StopTurn {
  const { owner, sandbox, observations } = state;
  const refusal = observations.refusals.get('snapshot');
  // One of an earlier generation was about another snapshot.
  if (refusal?.generation === sandbox.metadata.generation) return failed(refusal?.message ?? '');
  const shot = { name, kind: SNAPSHOT_KINDS.stop, claim, source: owner.name };
  const actions = beginCut(state, shot, { pod, sandboxUid: owner.uid }, now);
  return { wait: true, actions, waitMs: CUT_LIMIT_MS };
}

function progressOf(made: VolumeSnapshot, now: number): StopTurn {
  const { name, creationTimestamp } = made.metadata;
  if (isCut(made)) return done(`VolumeSnapshot ${name} was cut before the pod was stopped`);
  const left = (timeOf(creationTimestamp) ?? now) + CUT_LIMIT_MS - now;
  if (left > 0) return { wait: true, actions: [], waitMs: left };
  const seconds = CUT_LIMIT_MS / 1_000;
  return failed(`VolumeSnapshot ${name} was not cut in ${seconds} s: ${faultOf(made) ?? 'no word'}`);
}

const done = (note: string): StopTurn => announced({ type: 'Normal', reason: 'Snapshotted', note });
const failed = (note: string): StopTurn => announced({ type: 'Warning', reason: 'SnapshotFailed', note });
const announced = (event: EventNote): StopTurn => ({
  wait: false,
  actions: [{ do: 'announce', events: [event] }],
});
