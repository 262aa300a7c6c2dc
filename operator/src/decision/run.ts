// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { conditionOf, diagnose, mainStatus } from '../sandbox/failure.ts';
import type { Diagnosis } from '../sandbox/failure.ts';
import { buildPod } from '../sandbox/pod.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { statusStage } from '../sandbox/status.ts';
import type { Outcome } from '../sandbox/status.ts';
import type { Action, Plan } from './actions.ts';
import { no, refusalFinding, yes } from './conditions.ts';
import type { Finding } from './conditions.ts';
import { attemptStart, restartDelayMs, timeOf } from './deadlines.ts';
import { planHold, STOPPING } from './down.ts';
import { blockOf, claimName, driftActions } from './drift.ts';
import { planLoss, RESTART_BACKOFF, spentRestarts } from './heal.ts';
import { holdOf } from './hold.ts';
import { planUp } from './up.ts';

/** Reason of the status while a new start waits for the old pod to be gone. */
export const WAITING_FOR_POD = 'WaitingForPod';

/** Even if every watch event were lost, a sandbox on its way up is looked at this often. */
export const SAFETY_MS = 30_000;

/** A sandbox that is to run: make what is missing, heal what was lost, give up what cannot work. */
export function planRun(state: SandboxState, now: number): Plan {
  const { resolution, pod } = state;
  if (!resolution.ok) return planUnresolved(state, now);
  if (pod === undefined) return planMissingPod(state, resolution.spec, now);
  if (isTerminating(pod)) return planTerminatingPod(state, resolution.spec, now);
  return planPod(state, resolution.spec, now);
}

/** Nothing is created from a spec that cannot be trusted; what runs already is left alone. */
function planUnresolved(state: SandboxState, now: number): Plan {
  if (state.resolution.ok) return { stages: [] };
  const { reason, message } = state.resolution;
  const { phase } = state.sandbox.status ?? {};
  const keeps = state.pod !== undefined && phase === 'Running';
  const event = { type: 'Warning', reason: 'Error', note: `${reason}: ${message}` } as const;
  const outcome: Outcome = {
    phase: keeps ? 'Running' : 'Error',
    reason,
    message,
    pod: keeps ? podFinding(state) : no(reason, message),
    events: keeps || phase === 'Error' ? [] : [event],
  };
  return only(statusStage(state, outcome, now));
}

function planMissingPod(state: SandboxState, spec: EffectiveSpec, now: number): Plan {
  const { phase, reason, restartCount = 0, lastFailureAt } = state.sandbox.status ?? {};
  if (phase === 'Running' && reason !== STOPPING) {
    const message = 'the pod was removed by somebody else';
    return planLoss(state, { kind: 'lost', reason: 'PodGone', message, spendsBudget: true }, now);
  }
  if (state.observations.volumeLost || isTerminating(state.pvc)) return planLostVolume(state, now);
  if (phase === 'Creating' && reason === RESTART_BACKOFF) {
    const due = (timeOf(lastFailureAt) ?? 0) + restartDelayMs(restartCount, state.owner.uid);
    if (due > now) return planBackoff(state, spec, { now, due });
  }
  return planCreate(state, spec, now);
}

/**
 * The workspace is gone by somebody else's hand. Starting with an empty one would look like a data loss of ours, so
 * this is an Error that says so; a retry after it is the user's consent to a new, empty volume.
 */
function planLostVolume(state: SandboxState, now: number): Plan {
  const name = claimName(state);
  if (state.pvc !== undefined) {
    const message = `PersistentVolumeClaim ${name} is being deleted`;
    const outcome: Outcome = {
      phase: state.sandbox.status?.phase ?? 'Creating',
      reason: 'VolumeLost',
      message,
      pod: no('VolumeLost', message),
    };
    return { ...only(statusStage(state, outcome, now)), requeueAfterMs: SAFETY_MS };
  }
  const message = `PersistentVolumeClaim ${name} and its data are gone: set annotation agenttier.io/retry to start with an empty volume`;
  return planHold(state, holdOf('VolumeLost', message), now, { pvcName: undefined });
}

function planBackoff(
  state: SandboxState,
  spec: EffectiveSpec,
  { now, due }: { now: number; due: number },
): Plan {
  const { message = '' } = state.sandbox.status ?? {};
  const outcome: Outcome = {
    phase: 'Creating',
    reason: RESTART_BACKOFF,
    message,
    pod: no(RESTART_BACKOFF, message),
  };
  const stages = [driftActions(state, spec, { now, create: true }), statusStage(state, outcome, now)];
  return { stages: nonEmpty(stages), requeueAfterMs: due - now };
}

/**
 * Everything at once: the objects around the pod together, then the pod. No status is written on the way; the next
 * round, a moment later, sees the pod in the store and says so, which keeps that write off the start's critical path.
 */
function planCreate(state: SandboxState, spec: EffectiveSpec, now: number): Plan {
  const given = givenUp(state, now);
  if (given !== undefined) return given;
  const drift = driftActions(state, spec, { now, create: true });
  const pod = podCreation(state, spec, now);
  if (pod.length > 0 || drift.length > 0)
    return { stages: nonEmpty([drift, pod]), requeueAfterMs: SAFETY_MS };
  const finding = refusalFinding(state) ?? no('Starting', 'the pod is being created');
  return { ...only(statusStage(state, starting(state, finding), now)), requeueAfterMs: nextTry(state, now) };
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
  return planHold(state, holdOf(finding.reason, finding.message), now);
}

/** The pod is made only when all that it leans on is there, or is made by the stage before. */
function podCreation(state: SandboxState, spec: EffectiveSpec, now: number): Action[] {
  const blocked = (['serviceAccount', 'tokenSecret', 'networkPolicy', 'pod'] as const).some((kind) =>
    blockOf(state, kind, now),
  );
  const noVolume = state.pvc === undefined && (blockOf(state, 'pvc', now) || state.sandbox.status?.pvcName);
  if (blocked || noVolume) return [];
  const { owner, settings, sandbox } = state;
  const template = sandbox.spec?.resolved?.chain?.at(-1)?.name;
  const body = buildPod({ owner, spec, settings, template, pvcName: claimName(state) });
  return [{ do: 'create', kind: 'pod', body }];
}

const nextTry = (state: SandboxState, now: number): number =>
  Math.max(
    100,
    Math.min(SAFETY_MS, ...[...state.observations.refusals.values()].map(({ retryAt }) => retryAt - now)),
  );

/** Somebody ends the pod. If that was us, only wait; otherwise it is a loss, counted when first seen. */
function planTerminatingPod(state: SandboxState, spec: EffectiveSpec, now: number): Plan {
  const { phase, reason = '' } = state.sandbox.status ?? {};
  const external =
    (phase === 'Running' || phase === 'Creating') &&
    ![STOPPING, RESTART_BACKOFF, WAITING_FOR_POD].includes(reason);
  if (external) {
    const disruption = state.pod && conditionOf(state.pod, 'DisruptionTarget');
    const planned = disruption?.status === 'True';
    const why = planned ? disruption.reason || 'DisruptionTarget' : 'PodDeleted';
    const message = (planned && disruption.message) || 'the pod is being deleted by somebody else';
    return planLoss(state, { kind: 'lost', reason: why, message, spendsBudget: !planned }, now);
  }
  const backoff = reason === RESTART_BACKOFF;
  const message = backoff ? (state.sandbox.status?.message ?? '') : 'the previous pod is still ending';
  const word = backoff ? RESTART_BACKOFF : WAITING_FOR_POD;
  const outcome: Outcome = { phase: 'Creating', reason: word, message, pod: no(word, message) };
  const stages = [driftActions(state, spec, { now, create: true }), statusStage(state, outcome, now)];
  return { stages: nonEmpty(stages), requeueAfterMs: SAFETY_MS };
}

function planPod(state: SandboxState, spec: EffectiveSpec, now: number): Plan {
  const diagnosis = diagnose(state.pod as NonNullable<SandboxState['pod']>);
  switch (diagnosis.kind) {
    case 'lost':
      return planLoss(state, diagnosis, now);
    case 'broken':
      return planHold(state, holdOf(diagnosis.reason, diagnosis.message), now);
    case 'exited': {
      const reason = diagnosis.exitCode === 0 ? 'Completed' : 'ApplicationError';
      return planHold(state, holdOf(reason, diagnosis.message), now);
    }
    default:
      return isUp(state, diagnosis)
        ? planUp(state, spec, { now, finding: podFinding(state) })
        : planStarting(state, spec, { now, diagnosis });
  }
}

/**
 * A start ends when the runtime answers. The operator asks it itself, since the kubelet looks only once a second; from
 * then on the kubelet's readiness is the truth. A sandbox that is Running stays so while its containers run.
 */
function isUp(state: SandboxState, diagnosis: Diagnosis): boolean {
  if (state.sandbox.status?.phase === 'Running') return true;
  const answered = state.observations.answeredPod === state.pod?.metadata.uid;
  return answered || (diagnosis.kind === 'running' && diagnosis.ready);
}

/** PodReady of a pod that is up. Before the kubelet's first own success its "not ready" only means "not asked yet". */
function podFinding(state: SandboxState): Finding {
  const { pod } = state;
  const main = pod && mainStatus(pod);
  const kubeletHasSeenIt = main?.started === true;
  const ready = pod !== undefined && conditionOf(pod, 'Ready')?.status === 'True';
  if (ready || !kubeletHasSeenIt) return yes('Ready', 'the runtime answers');
  return no('RuntimeUnhealthy', 'the runtime in the pod does not answer the kubelet');
}

interface Starting {
  readonly now: number;
  readonly diagnosis: Diagnosis;
}

function planStarting(state: SandboxState, spec: EffectiveSpec, { now, diagnosis }: Starting): Plan {
  const finding = startingFinding(state, diagnosis);
  if (isStuck(state, diagnosis, now) || isOverdue(state, now))
    return planHold(state, holdOf(finding.reason, finding.message), now);
  const { pod, observations } = state;
  const ip = pod?.status?.podIP;
  const uid = pod?.metadata.uid ?? '';
  const probe: Action[] =
    ip && observations.answeredPod !== uid ? [{ do: 'probeRuntime', podUid: uid, podIp: ip }] : [];
  const stages = [
    [...probe, ...driftActions(state, spec, { now, create: true }), ...pullSecretInquiry(spec, diagnosis)],
    statusStage(state, starting(state, finding), now),
  ];
  return { stages: nonEmpty(stages), requeueAfterMs: startWait(state, diagnosis, now) };
}

function startingFinding(state: SandboxState, diagnosis: Diagnosis): Finding {
  if (diagnosis.kind === 'running') return no('Starting', 'the runtime does not answer yet');
  if (diagnosis.kind !== 'starting' && diagnosis.kind !== 'stuck')
    return no('Starting', 'the pod is starting');
  const secret = state.observations.missingPullSecret;
  if (secret === undefined || !isPullProblem(diagnosis.reason))
    return no(diagnosis.reason, diagnosis.message);
  const hint = `spec.image.pullSecret names Secret ${secret}, which does not exist in namespace ${state.owner.namespace}`;
  return no('PullSecretMissing', `${hint}; ${diagnosis.message}`);
}

const isPullProblem = (reason: string): boolean => reason === 'ErrImagePull' || reason === 'ImagePullBackOff';

/** The kubelet pulls without a secret that is missing and then reports only the registry's refusal. */
function pullSecretInquiry(spec: EffectiveSpec, diagnosis: Diagnosis): Action[] {
  const name = spec.image?.pullSecret;
  const inquire = name && diagnosis.kind === 'starting' && isPullProblem(diagnosis.reason);
  return inquire ? [{ do: 'findPullSecret', name }] : [];
}

function starting(state: SandboxState, finding: Finding): Outcome {
  const { phase } = state.sandbox.status ?? {};
  const first =
    phase === 'Creating'
      ? []
      : [{ type: 'Normal', reason: 'Creating', note: 'Sandbox is being started' } as const];
  const { reason, message } = finding;
  return {
    phase: 'Creating',
    reason,
    message,
    pod: finding,
    events: first,
    changes: { startedAt: undefined, restartCount: spentRestarts(state) },
  };
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

const nonEmpty = (stages: Action[][]): Action[][] => stages.filter((stage) => stage.length > 0);
const only = (stage: Action[]): Plan => ({ stages: nonEmpty([stage]) });
