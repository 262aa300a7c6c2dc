// SPDX-License-Identifier: Apache-2.0
import { CONDITION_TYPES, findCondition, setCondition } from '@agenttier/crds/meta/conditions';
import type { Condition } from '@agenttier/crds/meta/conditions';
import { enforcerFinding, networkFinding, refusalCounts } from '../egress/finding.ts';
import type { OwnedKind, SandboxState } from '../sandbox/state.ts';
import { volumeFinding } from '../volume/finding.ts';
import { backupFinding } from '../volume/status.ts';
import { no, refusalReason, yes } from './finding.ts';
import type { Finding } from './finding.ts';
import { toolsFinding } from './tools.ts';
import type { Said } from './tools.ts';
import { activeHold, HELD } from './hold.ts';
import type { Hold } from './hold.ts';

export const DRIFTED = 'Drifted';
/** Reason of a sandbox that can be used. */
export const READY = 'Ready';

const UNDER_WAY: ReadonlySet<string> = new Set(['Provisioning', 'Applying']);

/** What the conditions are derived from, beside the state. */
export interface Verdict extends Said {
  /** Whether the sandbox is meant to be in use. */
  readonly phase: string;
  /** Why not, or `Ready`. */
  readonly reason: string;
  readonly message: string;
  readonly pod: Finding;
  readonly hold?: Hold | undefined;
  /** It will be stopped soon, and why. */
  readonly warning?: Finding | undefined;
  /** Of an agent whose pod is up; absent leaves the condition as it is. */
  readonly configured?: Finding | undefined;
  /** Its pod has other CPU or memory than the spec asks for, and why. */
  readonly resize?: Finding | undefined;
}

/**
 * The conditions of a Sandbox. `Ready` sums up the four before it; its reason is what the phase is derived from. `Drifted`
 * and `Held` are there only while true: they are exceptions, and an absent one reads as False. `PolicyCompliant` comes
 * with the first violation: before that, admission's yes is all there is to say. `IdleWarning` is there during the grace,
 * `ToolsReady` while a pod is up whose harness wants tools, `ResizePending` until the pod has what the spec asks for.
 */
export function deriveConditions(state: SandboxState, verdict: Verdict, now: number): readonly Condition[] {
  const { resolved, volumeReady, networkReady, podReady, ready } = CONDITION_TYPES;
  const parts: [string, Finding][] = [
    [resolved, resolvedFinding(state)],
    [volumeReady, volumeFinding(state)],
    [networkReady, networkFinding(state)],
    [podReady, verdict.pod],
  ];
  const drift = state.resolution.ok ? state.resolution.drift : undefined;
  const { hold, warning, resize, configured } = verdict;
  const rest: [string, Finding | undefined][] = [
    [ready, readyFinding(verdict, parts)],
    [CONDITION_TYPES.policyCompliant, complianceFinding(state)],
    [CONDITION_TYPES.backupFailing, backupFinding(state)],
    [CONDITION_TYPES.idleWarning, warning],
    ...(configured === undefined
      ? []
      : [[CONDITION_TYPES.configured, configured] satisfies [string, Finding]]),
    [CONDITION_TYPES.resizePending, resize],
    [CONDITION_TYPES.toolsReady, toolsFinding(state, verdict)],
    [DRIFTED, drift === undefined ? undefined : yes('TemplateChanged', drift)],
    [HELD, hold === undefined ? undefined : yes(hold.reason, hold.message)],
  ];
  let list: readonly Condition[] = state.sandbox.status?.conditions ?? [];
  for (const [type, finding] of [...parts, ...rest]) {
    const without = finding === undefined;
    list = without ? list.filter((one) => one.type !== type) : put(list, { type, finding, state, now });
  }
  return list;
}

function readyFinding({ phase, reason, message }: Verdict, parts: readonly [string, Finding][]): Finding {
  if (phase !== 'Running' || reason !== READY) return no(reason, message);
  const failures = parts.map(([, finding]) => finding).filter(({ status }) => status !== 'True');
  // What is merely under way explains less than what went wrong.
  const failing = failures.find((finding) => !UNDER_WAY.has(finding.reason)) ?? failures[0];
  return failing === undefined ? yes(READY, message) : no(failing.reason, failing.message);
}

interface Entry {
  readonly type: string;
  readonly finding: Finding;
  readonly state: SandboxState;
  readonly now: number;
}

function put(list: readonly Condition[], { type, finding, state, now }: Entry): readonly Condition[] {
  const { generation } = state.sandbox.metadata;
  const before = list.find((one) => one.type === type);
  // A hold that goes on keeps the generation it was made at: that is what tells a later edit of the spec.
  const goesOn = type === HELD && activeHold(state.sandbox) !== undefined;
  const observed = goesOn ? before?.observedGeneration : generation;
  const condition = { type, ...finding, ...(observed === undefined ? {} : { observedGeneration: observed }) };
  return setCondition(list, condition, new Date(now));
}

const MAX_TEXT = 1_000;

function complianceFinding({ violations = [], sandbox }: SandboxState): Finding | undefined {
  const [first] = violations;
  if (first !== undefined) {
    const text = violations.map(({ code, message }) => `${message} [${code}]`).join('; ');
    return no(first.code, `at the next resume the policy says no: ${text}`.slice(0, MAX_TEXT));
  }
  const before = findCondition(sandbox.status?.conditions, CONDITION_TYPES.policyCompliant);
  return before && yes('Compliant', 'the policy accepts the sandbox as it is');
}

function resolvedFinding({ resolution }: SandboxState): Finding {
  return resolution.ok
    ? yes('Merged', 'spec.resolved follows from the templates')
    : no(resolution.reason, resolution.message);
}

const NAMES: Readonly<Record<OwnedKind, string>> = {
  serviceAccount: 'ServiceAccount',
  tokenSecret: 'token Secret',
  planSecret: 'Secret with files and scripts',
  pvc: 'PersistentVolumeClaim',
  networkPolicy: 'NetworkPolicy',
  ciliumPolicy: 'CiliumNetworkPolicy',
  snapshot: 'VolumeSnapshot',
  pod: 'Pod',
};

/** The refusal that keeps the pod from being made, as a finding about the pod. */
export function refusalFinding(state: SandboxState): Finding | undefined {
  for (const [kind, refusal] of state.observations.refusals) {
    const harmless = kind === 'snapshot' || (kind === 'pvc' && state.pvc !== undefined);
    if (!harmless && refusalCounts(kind, state))
      return no(refusalReason(refusal.cause), `${NAMES[kind]}: ${refusal.message}`);
  }
  return state.pod === undefined ? enforcerFinding(state) : undefined;
}
