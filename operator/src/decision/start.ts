// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { PERMANENT_REASONS } from '@agenttier/crds/lifecycle/phase';
import { formatDuration } from '@agenttier/crds/meta/duration';
import type { Diagnosis } from '../sandbox/failure.ts';
import { buildPod } from '../sandbox/pod.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { statusStage } from '../sandbox/status.ts';
import type { Outcome } from './outcome.ts';
import { planOf } from './actions.ts';
import type { Action, EventNote, Plan } from './actions.ts';
import { refusalFinding } from './conditions.ts';
import { no } from './finding.ts';
import type { Finding } from './finding.ts';
import { attemptStart, SAFETY_MS } from './deadlines.ts';
import { planHold } from './down.ts';
import { missingClass, originFinding } from '../volume/finding.ts';
import { claimName } from '../volume/drift.ts';
import { blockOf } from './block.ts';
import { driftActions, tokenNonce } from './drift.ts';
import { reachesNames } from '../egress/drift.ts';
import { RESTART_BACKOFF, spentRestarts } from './heal.ts';
import { holdOf } from './hold.ts';
import { planClaim } from './warm.ts';

/**
 * Everything at once: the objects around the pod together, then the pod. No status is written on the way; the next
 * round, a moment later, sees the pod in the store and says so, which keeps that write off the start's critical path.
 */
export function planCreate(state: SandboxState, spec: EffectiveSpec, now: number): Plan {
  const given = givenUp(state, now);
  if (given !== undefined) return given;
  const claim = planClaim(state, now);
  if (claim !== undefined) return claim;
  const drift = driftActions(state, spec, { now, create: true });
  const pod = podCreation(state, spec, { now, drift });
  if (pod.length > 0 || drift.length > 0) return planOf([drift, pod], SAFETY_MS);
  const finding = refusalFinding(state) ?? originFinding(state) ?? no('Starting', 'the pod is being created');
  return planOf([statusStage(state, starting(state, finding), now)], nextTry(state, now));
}

/** Refused writes are tried again; a start that stays refused beyond its deadline, or for good, is an Error. */
function givenUp(state: SandboxState, now: number): Plan | undefined {
  const { refusals } = state.observations;
  const generation = state.sandbox.metadata.generation ?? 0;
  const final = [...refusals.values()].some(
    (one) => one.cause === 'invalid' && one.generation === generation,
  );
  const finding = refusalFinding(state);
  if (finding === undefined || (!final && !isOverdue(state, now))) return undefined;
  return final
    ? planHold(state, holdOf('InvalidSpec', finding.message), now, { pod: finding })
    : planOverdue(state, finding, now);
}

function planOverdue(state: SandboxState, finding: Finding, now: number): Plan {
  const limit = formatDuration(state.settings.startDeadlineMs);
  const message = `not running after ${limit}: ${finding.reason}: ${finding.message}`;
  return planHold(state, holdOf('StartDeadlineExceeded', message), now, { pod: finding });
}

/** The pod is made only when all that it leans on is there, or is made by the stage before. */
function podCreation(
  state: SandboxState,
  spec: EffectiveSpec,
  { now, drift }: { readonly now: number; readonly drift: readonly Action[] },
): Action[] {
  if (isBlocked(state, now) || lacksVolume(state, now) || !reachesNames(state, spec, drift)) return [];
  const { owner, settings, sandbox, network } = state;
  const { enforcer } = network;
  const template = sandbox.spec?.resolved?.chain?.at(-1)?.name;
  const nonce = tokenNonce(state, { now, create: true });
  const { lastNode } = sandbox.status ?? {};
  const parts = { owner, spec, settings, template, nonce, lastNode, enforcer };
  const body = buildPod({ ...parts, pvcName: claimName(state) });
  return [{ do: 'create', kind: 'pod', body }];
}

function isBlocked(state: SandboxState, now: number): boolean {
  const kinds = ['serviceAccount', 'tokenSecret', 'planSecret', 'networkPolicy', 'pod'] as const;
  return kinds.some((kind) => blockOf(state, kind, now));
}

/** No claim is there, and none is made by the stage before. */
function lacksVolume(state: SandboxState, now: number): boolean {
  if (state.pvc !== undefined) return false;
  const recorded = Boolean(state.sandbox.status?.pvcName);
  return recorded || blockOf(state, 'pvc', now) !== undefined || originFinding(state) !== undefined;
}

/** Milliseconds until a refused write is due again. */
function nextTry(state: SandboxState, now: number): number {
  const waits = [...state.observations.refusals.values()].map(({ retryAt }) => retryAt - now);
  return Math.max(100, Math.min(SAFETY_MS, ...waits));
}

export interface Starting {
  readonly now: number;
  readonly diagnosis: Diagnosis;
}

/** A pod on its way up: say where it is, and give it up when it cannot or did not get there. */
export function planStarting(state: SandboxState, spec: EffectiveSpec, { now, diagnosis }: Starting): Plan {
  const finding = startingFinding(state, diagnosis);
  if (isStuck(state, diagnosis, now)) {
    const reason = PERMANENT_REASONS.has(finding.reason) ? finding.reason : 'InvalidSpec';
    return planHold(state, holdOf(reason, finding.message), now, { pod: finding });
  }
  if (isOverdue(state, now)) return planOverdue(state, finding, now);
  const stages = [
    [
      ...probeAction(state),
      ...driftActions(state, spec, { now, create: true }),
      ...pullSecretInquiry(spec, diagnosis),
    ],
    quietFor(state, diagnosis, now) > 0 ? [] : statusStage(state, starting(state, finding), now),
  ];
  return planOf(
    stages,
    Math.min(startWait(state, diagnosis, now), quietFor(state, diagnosis, now) || SAFETY_MS),
  );
}

/** Steps that a healthy start passes through, too. */
const PASSING: ReadonlySet<string> = new Set(['Starting', 'Unschedulable']);
const QUIET_MS = 1_000;

/**
 * How long, in milliseconds, a change of a start that seems to go well is kept back: a claim that is unbound for 50 ms
 * makes the pod unschedulable for as long, and each word of that costs a write just when the node is busiest. What
 * lasts, and anything that looks like a fault, is said.
 */
function quietFor({ sandbox, observations }: SandboxState, diagnosis: Diagnosis, now: number): number {
  const passing = !('reason' in diagnosis) || PASSING.has(diagnosis.reason);
  if (!passing || sandbox.status?.phase !== 'Creating' || sandbox.status.reason === RESTART_BACKOFF) return 0;
  return Math.max(0, (observations.statusAt ?? 0) + QUIET_MS - now);
}

/** From the moment the pod has an address: the runtime may answer before the kubelet reports its container. */
function probeAction({ pod, observations }: SandboxState): Action[] {
  const podIp = pod?.status?.podIP;
  const podUid = pod?.metadata.uid;
  if (!podIp || !podUid || observations.answeredPod === podUid) return [];
  return [{ do: 'probeRuntime', podUid, podIp }];
}

function startingFinding(state: SandboxState, diagnosis: Diagnosis): Finding {
  if (!('reason' in diagnosis)) return no('Starting', 'the runtime does not answer yet');
  const { reason, message } = diagnosis;
  // The scheduler only says that a claim is not bound; why it never will be is worth more.
  const unbound = reason === 'Unschedulable' || reason === 'Starting' ? missingClass(state) : undefined;
  if (unbound !== undefined) return unbound;
  const secret = state.observations.missingPullSecret;
  if (secret === undefined || !isPullProblem(reason)) return no(reason, message);
  const hint = `spec.image.pullSecret names Secret ${secret}, which does not exist in namespace ${state.owner.namespace}`;
  return no('PullSecretMissing', `${hint}; ${message}`);
}

const isPullProblem = (reason: string): boolean => reason === 'ErrImagePull' || reason === 'ImagePullBackOff';

/** The kubelet pulls without a secret that is missing and then reports only the registry's refusal. */
function pullSecretInquiry(spec: EffectiveSpec, diagnosis: Diagnosis): Action[] {
  const name = spec.image?.pullSecret;
  const inquire = name && diagnosis.kind === 'starting' && isPullProblem(diagnosis.reason);
  return inquire ? [{ do: 'findPullSecret', name }] : [];
}

/** A start after the sandbox was Stopped or an Error. */
export const RESUMED: EventNote = {
  type: 'Normal',
  reason: 'Resumed',
  note: 'Sandbox is being started again',
};
const BEGUN: EventNote = { type: 'Normal', reason: 'Creating', note: 'Sandbox is being started' };

function starting(state: SandboxState, finding: Finding): Outcome {
  const { message } = finding;
  // A fault that may still pass must not read as one that cannot: readers of Ready know those reasons as final.
  const reason = PERMANENT_REASONS.has(finding.reason) ? 'Starting' : finding.reason;
  return {
    phase: 'Creating',
    reason,
    message,
    pod: finding,
    events: beginning(state),
    changes: { startedAt: undefined, restartCount: spentRestarts(state) },
  };
}

function beginning({ sandbox }: SandboxState): EventNote[] {
  const { phase } = sandbox.status ?? {};
  if (phase === 'Creating') return [];
  return phase === 'Stopped' || phase === 'Error' ? [RESUMED] : [BEGUN];
}

function isStuck(state: SandboxState, diagnosis: Diagnosis, now: number): boolean {
  return diagnosis.kind === 'stuck' && now - (attemptStart(state) ?? now) >= diagnosis.patienceMs;
}

function isOverdue(state: SandboxState, now: number): boolean {
  const limit = state.settings.startDeadlineMs;
  return limit > 0 && now - (attemptStart(state) ?? now) >= limit;
}

function startWait(state: SandboxState, diagnosis: Diagnosis, now: number): number {
  const begun = attemptStart(state) ?? now;
  const limits = [state.settings.startDeadlineMs, diagnosis.kind === 'stuck' ? diagnosis.patienceMs : 0];
  const dues = limits.filter((limit) => limit > 0).map((limit) => begun + limit - now);
  return Math.max(1, Math.min(SAFETY_MS, ...dues));
}
