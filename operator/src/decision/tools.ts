// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { CONDITION_TYPES, findCondition } from '@agenttier/crds/meta/conditions';
import type { RuntimeAnswer } from '../runtime/client.ts';
import type { SandboxState } from '../sandbox/state.ts';
import type { Action } from './actions.ts';
import { no, yes } from './finding.ts';
import type { Finding } from './finding.ts';
import { idleTurn, NO_TURN, recordOf, startTurn } from './hooks.ts';
import type { HarnessRecord, HarnessTurn } from './hooks.ts';

type Tools = NonNullable<HarnessRecord['tools']>;

/** Installing takes as long as it takes, up to what the runtime lets all tools have. */
const TOOLS_MS = 30 * 60_000;
const MAX_MESSAGE = 1_000;

/** While the sandbox is up: the hook of its start, then its tools, then the hook of a warning before an idle stop. */
export function upTurn(state: SandboxState): HarnessTurn {
  for (const turn of [startTurn, toolsTurn]) {
    const next = turn(state);
    if (next !== NO_TURN) return next;
  }
  const warning = findCondition(state.sandbox.status?.conditions, CONDITION_TYPES.idleWarning);
  const idle = warning?.status === 'True' && warning.reason === 'IdleTimeout';
  return idle ? idleTurn(state, warning.lastTransitionTime) : NO_TURN;
}

const wantedTools = ({ resolution }: SandboxState): NonNullable<EffectiveSpec['harness']>['tools'] =>
  resolution.ok ? resolution.spec.harness?.tools : undefined;

/** Asks the runtime once for each start; what was found is recorded with the pod. */
function toolsTurn(state: SandboxState): HarnessTurn {
  const record = recordOf(state);
  const tools = wantedTools(state) ?? [];
  if (record === undefined || record.tools !== undefined || tools.length === 0) return NO_TURN;
  const id = `${record.podUid}/tools/${state.sandbox.status?.startedAt ?? ''}`;
  const answer = state.observations.jobs?.get(id);
  if (answer === undefined) return { wait: true, actions: [toolsAction(state, id)], events: [] };
  return {
    wait: false,
    actions: [],
    changes: { harness: { ...record, tools: found(answer, tools) } },
    events: [],
  };
}

function toolsAction(state: SandboxState, id: string): Action {
  const { pod, resolution } = state;
  const { shell = '', workingDir = '' } = (resolution.ok && resolution.spec.harness) || {};
  const body = { id, tools: wantedTools(state), shell, workingDir };
  const call = { method: 'POST', path: '/tools', body, timeoutMs: TOOLS_MS } as const;
  return { do: 'runJob', podName: pod?.metadata.name ?? '', podUid: pod?.metadata.uid ?? '', id, call };
}

/** As the runtime found them; where it could not say, none of them is known to be there. */
function found(answer: RuntimeAnswer<unknown>, wanted: Tools): Tools {
  if (!answer.ok) {
    const message = `could not be verified: ${answer.message}`.slice(0, MAX_MESSAGE);
    return wanted.map(({ name }) => ({ name, ready: false, message }));
  }
  const { tools } = answer.body as { readonly tools: Tools };
  return tools.map(({ message, ...tool }) =>
    message === undefined ? tool : { ...tool, message: message.slice(0, MAX_MESSAGE) },
  );
}

/** What the status is about to say of the harness, where that is new. */
export interface Said {
  readonly changes?: { readonly harness?: HarnessRecord | undefined } | undefined;
}

/** The condition ToolsReady; undefined without tools, and while no pod is up that was started with them. */
export function toolsFinding(state: SandboxState, { changes }: Said): Finding | undefined {
  const record = changes?.harness ?? state.sandbox.status?.harness;
  const wanted = wantedTools(state) ?? [];
  if (wanted.length === 0 || record === undefined || record.podUid !== state.pod?.metadata.uid)
    return undefined;
  const { tools } = record;
  if (tools === undefined) {
    return { status: 'Unknown', reason: 'Verifying', message: 'the tools are being verified' };
  }
  return foundFinding(tools);
}

function foundFinding(tools: Tools): Finding {
  const missing = tools.filter(({ ready }) => !ready);
  if (missing.length > 0) {
    const texts = missing.map(({ name, message }) => `${name}: ${message ?? 'not there'}`);
    return no('ToolsMissing', texts.join('; ').slice(0, MAX_MESSAGE));
  }
  const texts = tools.map(({ name, version }) => `${name} ${version ?? ''}`.trim());
  return yes('Verified', texts.join(', ').slice(0, MAX_MESSAGE));
}
