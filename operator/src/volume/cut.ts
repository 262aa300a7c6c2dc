// SPDX-License-Identifier: Apache-2.0
import type { Pod } from '../core.ts';
import type { Action } from '../decision/actions.ts';
import { blockOf } from '../decision/block.ts';
import { diagnose } from '../sandbox/failure.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { nonceIn } from '../sandbox/tokenSecret.ts';
import { buildSnapshot } from './snapshot.ts';
import type { Shot } from './snapshot.ts';

/** Longest time that a stop waits for its snapshot, and programs stand still for one. */
export const CUT_LIMIT_MS = 60_000;
/** What the sync of a busy disk may take. A runtime that does not answer is asked three times. */
const ANSWER_MS = 20_000;

/** A pod whose programs write to the volume. */
export interface Writer {
  readonly pod: Pod;
  /** Of the sandbox that the pod is of. */
  readonly sandboxUid: string;
}

/**
 * One step towards a snapshot that does not exist yet: first the runtime writes out what programs have written and makes
 * them stand still, then the snapshot is asked for. A runtime that does not answer does not stand in the way: then the
 * snapshot is as if the node had lost power at that moment. Without actions it waits: for the runtime's answer, or for
 * the time to ask again.
 */
export function beginCut(state: SandboxState, shot: Shot, writer: Writer | undefined, now: number): Action[] {
  if (blockOf(state, 'snapshot', now)) return [];
  const held = writer === undefined || !canBeHeld(writer.pod) ? undefined : writer;
  if (held === undefined) return [creation(state, shot)];
  const answer = state.observations.jobs?.get(holdId(held.pod, shot.name));
  if (answer === undefined) return [holding(held, shot.name)];
  return [creation(state, answer.ok ? { ...shot, held: textOf(held) } : shot)];
}

const creation = (state: SandboxState, shot: Shot): Action => ({
  do: 'create',
  kind: 'snapshot',
  body: buildSnapshot(state, shot),
});

const canBeHeld = (pod: Pod): boolean =>
  !isTerminating(pod) &&
  Boolean(pod.status?.podIP) &&
  nonceIn(pod) !== undefined &&
  diagnose(pod).kind === 'running';

/** Ids of jobs begin with the uid of their pod. */
const holdId = ({ metadata }: Pod, snapshot: string): string => `${metadata.uid}/quiesce/${snapshot}`;

function holding({ pod, sandboxUid }: Writer, snapshot: string): Action {
  const { name: podName = '', uid: podUid = '' } = pod.metadata;
  const body = { limitSeconds: CUT_LIMIT_MS / 1_000 };
  const call = { method: 'POST', path: '/quiesce', body, timeoutMs: ANSWER_MS } as const;
  return { do: 'runJob', podName, podUid, sandboxUid, id: holdId(pod, snapshot), call };
}

const textOf = ({ pod, sandboxUid }: Writer): string =>
  `${pod.metadata.name}/${pod.metadata.uid}/${sandboxUid}`;
