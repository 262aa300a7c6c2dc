// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, SandboxStatus } from '@agenttier/crds/generated/types';
import type { RuntimeAnswer } from '../runtime/client.ts';
import { diagnose } from '../sandbox/failure.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import type { Outcome, StatusChanges } from './outcome.ts';
import type { Action, EventNote } from './actions.ts';

export type HarnessRecord = NonNullable<SandboxStatus['harness']>;
export type HookName = NonNullable<HarnessRecord['hooks']>[number]['name'];

/** What the harness has to do, or has done, at one point of a sandbox's life. */
export interface HarnessTurn {
  /** It is under way: what is to come after it has to wait. */
  readonly wait: boolean;
  readonly actions: readonly Action[];
  readonly changes?: StatusChanges;
  readonly events: readonly EventNote[];
}

export const NO_TURN: HarnessTurn = { wait: false, actions: [], events: [] };

/** Longest time of each hook, in seconds; the runtime holds to it. */
const LIMITS: Readonly<Record<HookName, number>> = { onStart: 60, onResume: 60, onIdle: 30, onStop: 60 };
/** Of the hook of a sandbox that is deleted for good. */
export const DELETE_LIMIT = 5;
/** What the answer may take beyond the hook itself. */
const GRACE_MS = 5_000;
const MAX_MESSAGE = 1_000;

/** The outcome with what the harness adds to it. */
export function withTurn(outcome: Outcome, { changes, events }: HarnessTurn): Outcome {
  return {
    ...outcome,
    changes: { ...outcome.changes, ...changes },
    events: [...(outcome.events ?? []), ...events],
  };
}

/** What is recorded about the pod that runs now; undefined for a pod whose start knew of no hooks and no tools. */
export function recordOf({ sandbox, pod }: SandboxState): HarnessRecord | undefined {
  const record = sandbox.status?.harness;
  return record !== undefined && record.podUid === pod?.metadata.uid ? record : undefined;
}

/**
 * What a start is recorded with, in the same write that says Running. A sandbox that has been up before resumes, be it
 * after a stop or after a loss: what onStart made in the workspace is still there, what it started is not.
 */
export function startRecord({ sandbox, pod }: SandboxState, spec: EffectiveSpec): HarnessRecord | undefined {
  const podUid = pod?.metadata.uid;
  if (podUid === undefined || !hasTurns(spec)) return undefined;
  const { startup, harness } = sandbox.status ?? {};
  const first = startup === undefined && harness === undefined;
  return { podUid, startHook: first ? 'onStart' : 'onResume' };
}

function hasTurns({ harness: { hooks = {}, tools = [] } = {} }: EffectiveSpec): boolean {
  return tools.length > 0 || Object.values(hooks).some((text) => text !== '');
}

/** After Running was said: the hook that this start calls for. */
export function startTurn(state: SandboxState): HarnessTurn {
  const { startHook } = recordOf(state) ?? {};
  if (startHook === undefined) return NO_TURN;
  return hookTurn(state, { name: startHook, turn: state.sandbox.status?.startedAt ?? '' });
}

/** `since` tells this warning from an earlier one in the same pod. The stop does not wait for the hook. */
export const idleTurn = (state: SandboxState, since: string): HarnessTurn =>
  hookTurn(state, { name: 'onIdle', turn: since });

/**
 * Before the pod is deleted, by whichever way. Only a pod that is up can run it, and a pod that somebody else ends is
 * not held up. The generation tells one stop from another in the same pod, when a stop was taken back while it ran.
 */
export function stopTurn(state: SandboxState, timeoutSeconds = LIMITS.onStop): HarnessTurn {
  const { pod, sandbox } = state;
  if (pod === undefined || isTerminating(pod) || diagnose(pod).kind !== 'running') return NO_TURN;
  return hookTurn(state, { name: 'onStop', turn: String(sandbox.metadata.generation ?? 0), timeoutSeconds });
}

interface Hook {
  readonly name: HookName;
  readonly turn: string;
  readonly timeoutSeconds?: number;
}

/** Asks for the hook, waits for its result, records it: one step for each look at the sandbox. */
function hookTurn(state: SandboxState, hook: Hook): HarnessTurn {
  const record = recordOf(state);
  const spec = state.resolution.ok ? state.resolution.spec : {};
  const script = spec.harness?.hooks?.[hook.name];
  if (record === undefined || !script || isRecorded(record, hook)) return NO_TURN;
  const id = `${record.podUid}/${hook.name}/${hook.turn}`;
  const answer = state.observations.jobs?.get(id);
  if (answer === undefined)
    return { wait: true, actions: [hookAction(state, spec, { ...hook, id, script })], events: [] };
  const fault = faultOf(answer, hook);
  return {
    wait: false,
    actions: [],
    changes: { harness: withHook(record, hook, fault) },
    events: fault === undefined ? [] : [{ type: 'Warning', reason: 'HookFailed', note: fault }],
  };
}

const isRecorded = ({ hooks = [] }: HarnessRecord, { name, turn }: Hook): boolean =>
  hooks.some((one) => one.name === name && one.turn === turn);

function hookAction(
  { pod }: SandboxState,
  spec: EffectiveSpec,
  {
    id,
    name,
    script,
    timeoutSeconds = LIMITS[name],
  }: Hook & { readonly id: string; readonly script: string },
): Action {
  const { shell, workingDir } = spec.harness ?? {};
  const body = { id, script, shell: shell ?? '', workingDir: workingDir ?? '', timeoutSeconds };
  const timeoutMs = timeoutSeconds * 1_000 + GRACE_MS;
  const call = { method: 'POST', path: `/hooks/${name}`, body, timeoutMs } as const;
  return { do: 'runJob', podName: pod?.metadata.name ?? '', podUid: pod?.metadata.uid ?? '', id, call };
}

interface HookResult {
  readonly exitCode: number;
  readonly timedOut: boolean;
  readonly durationMs: number;
  readonly stderr: string;
}

/** What went wrong with the hook; undefined when nothing did. */
function faultOf(answer: RuntimeAnswer<unknown>, { name }: Hook): string | undefined {
  if (!answer.ok) return `${name} could not be run: ${answer.message}`.slice(0, MAX_MESSAGE);
  const { exitCode, timedOut, durationMs, stderr } = answer.body as HookResult;
  if (!timedOut && exitCode === 0) return undefined;
  const what = timedOut
    ? `was ended after ${Math.round(durationMs / 1_000)} s`
    : `ended with exit code ${exitCode}`;
  const said = stderr.trim().slice(-MAX_MESSAGE / 2);
  return `${name} ${what}${said === '' ? '' : `: ${said}`}`.slice(0, MAX_MESSAGE);
}

function withHook(record: HarnessRecord, { name, turn }: Hook, fault: string | undefined): HarnessRecord {
  const others = (record.hooks ?? []).filter((one) => one.name !== name);
  const result = fault === undefined ? { succeeded: true } : { succeeded: false, message: fault };
  return { ...record, hooks: [...others, { name, turn, ...result }] };
}
