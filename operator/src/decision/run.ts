// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { CONDITION_TYPES, findCondition } from '@agenttier/crds/meta/conditions';
import type { Pod } from '../core.ts';
import { conditionOf, diagnose, disruptionOf } from '../sandbox/failure.ts';
import type { Diagnosis, Loss } from '../sandbox/failure.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { statusStage } from '../sandbox/status.ts';
import type { Outcome } from './outcome.ts';
import { planOf } from './actions.ts';
import type { Plan } from './actions.ts';
import { no, yes } from './finding.ts';
import type { Finding } from './finding.ts';
import { restartDelayMs, SAFETY_MS, timeOf } from './deadlines.ts';
import { planHold, STOPPING } from './down.ts';
import { claimName } from '../volume/drift.ts';
import { originText } from '../volume/origin.ts';
import { driftActions } from './drift.ts';
import { planLoss, RESTART_BACKOFF } from './heal.ts';
import { holdOf } from './hold.ts';
import { planCreate, planStarting } from './start.ts';
import { graceLeft, planUp } from './up.ts';
import { isHandedOver, planAdoption } from './warm.ts';

/** Reason of the status while a new start waits for the old pod to be gone. */
export const WAITING_FOR_POD = 'WaitingForPod';

/** A sandbox that is to run: make what is missing, heal what was lost, give up what cannot work. */
export function planRun(state: SandboxState, now: number): Plan {
  const { resolution, pod } = state;
  if (!resolution.ok) return planUnresolved(state, now);
  if (pod === undefined) return planMissingPod(state, resolution.spec, now);
  if (isTerminating(pod)) return planTerminatingPod(state, pod, { spec: resolution.spec, now });
  return planPod(state, resolution.spec, now);
}

/** Nothing is created from a spec that cannot be trusted; what runs already is left alone. */
function planUnresolved(state: SandboxState, now: number): Plan {
  if (state.resolution.ok) return planOf([]);
  const { reason, message } = state.resolution;
  const { phase } = state.sandbox.status ?? {};
  if (state.pod !== undefined && phase === 'Running') {
    const outcome: Outcome = { phase: 'Running', reason: 'Unresolved', message, pod: podFinding(state, now) };
    return planOf([statusStage(state, outcome, now)]);
  }
  const event = { type: 'Warning', reason: 'Error', note: `${reason}: ${message}` } as const;
  const outcome: Outcome = {
    phase: 'Error',
    reason: UNRESOLVED[reason] ?? reason,
    message,
    pod: no(reason, message),
    events: phase === 'Error' ? [] : [event],
  };
  return planOf([statusStage(state, outcome, now)]);
}

/** Reasons of the condition Resolved, where the catalogue of permanent reasons of Ready has another word. */
const UNRESOLVED: Readonly<Record<string, string>> = { Forged: 'ResolvedForged', Unresolved: 'InvalidSpec' };

function planMissingPod(state: SandboxState, spec: EffectiveSpec, now: number): Plan {
  const { phase, reason } = state.sandbox.status ?? {};
  if (phase === 'Running' && reason !== STOPPING) return planLoss(state, goneLoss(state), now);
  if (state.observations.volumeLost || isTerminating(state.pvc)) return planLostVolume(state, now);
  const due = restartDue(state);
  if (due <= now) return planCreate(state, spec, now);
  return planOf(
    [driftActions(state, spec, { now, create: true }), statusStage(state, backoffOutcome(state), now)],
    due - now,
  );
}

/** A pod that was marked as disrupted before it vanished is no failure, whether we saw it end or not. */
function goneLoss({ sandbox, observations }: SandboxState): Loss {
  const { disrupted } = observations;
  return disrupted !== undefined && disrupted.podName === sandbox.status?.podName ? disrupted.loss : GONE;
}

const GONE: Loss = {
  kind: 'lost',
  reason: 'PodGone',
  message: 'the pod was removed by somebody else',
  spendsBudget: true,
};

const DELETED: Loss = {
  kind: 'lost',
  reason: 'PodDeleted',
  message: 'the pod is being deleted by somebody else',
  spendsBudget: true,
};

/** When the wait after a failure is over; 0 when there is none. */
function restartDue({ sandbox, owner }: SandboxState): number {
  const { phase, reason, restartCount = 0, lastFailureAt } = sandbox.status ?? {};
  if (phase !== 'Creating' || reason !== RESTART_BACKOFF) return 0;
  return (timeOf(lastFailureAt) ?? 0) + restartDelayMs(restartCount, owner.uid);
}

interface Context {
  readonly spec: EffectiveSpec;
  readonly now: number;
}

/** Reasons under which a terminating pod is one that we ended. */
const OUR_DOING: ReadonlySet<string> = new Set([STOPPING, RESTART_BACKOFF, WAITING_FOR_POD]);

/** Somebody ends the pod. If that was us, only wait; otherwise it is a loss, counted when first seen. */
function planTerminatingPod(state: SandboxState, pod: Pod, { spec, now }: Context): Plan {
  const { phase, reason = '' } = state.sandbox.status ?? {};
  const up = phase === 'Running' || phase === 'Creating';
  if (up && !OUR_DOING.has(reason)) return planLoss(state, disruptionOf(pod) ?? DELETED, now);
  const outcome = reason === RESTART_BACKOFF ? backoffOutcome(state) : WAITING;
  return planOf(
    [driftActions(state, spec, { now, create: true }), statusStage(state, outcome, now)],
    SAFETY_MS,
  );
}

const WAITING: Outcome = {
  phase: 'Creating',
  reason: WAITING_FOR_POD,
  message: 'the previous pod is still ending',
  pod: no(WAITING_FOR_POD, 'the previous pod is still ending'),
};

/** Unchanged: PodReady keeps saying what the last pod was lost to. */
function backoffOutcome({ sandbox }: SandboxState): Outcome {
  const { message = '', conditions } = sandbox.status ?? {};
  const last = findCondition(conditions, CONDITION_TYPES.podReady);
  return {
    phase: 'Creating',
    reason: RESTART_BACKOFF,
    message,
    pod: no(last?.reason ?? RESTART_BACKOFF, message),
  };
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
    default: {
      const adoption = planAdoption(state, spec);
      if (adoption !== undefined) return adoption;
      return isUp(state, diagnosis)
        ? planUp(state, spec, { now, finding: podFinding(state, now) })
        : planStarting(state, spec, { now, diagnosis });
    }
  }
}

/**
 * A start ends when the runtime answers. The operator asks it itself, since the kubelet looks only once a second; from
 * then on the kubelet's readiness is the truth. A sandbox that is Running stays so while its containers run.
 */
function isUp(state: SandboxState, diagnosis: Diagnosis): boolean {
  if (state.sandbox.status?.phase === 'Running') return true;
  if (isHandedOver(state)) return true;
  const answered = state.observations.answeredPod === state.pod?.metadata.uid;
  return answered || (diagnosis.kind === 'running' && diagnosis.ready);
}

/**
 * PodReady of a pod that is up. Right after the start, the kubelet's "not ready" only means that it has not asked yet: it
 * takes several failed probes in a row to lose readiness, so none can be lost before that time has passed.
 */
function podFinding(state: SandboxState, now: number): Finding {
  const ready = state.pod !== undefined && conditionOf(state.pod, 'Ready')?.status === 'True';
  if (ready || graceLeft(state, now) > 0) return yes('Ready', 'the runtime answers');
  return no('RuntimeUnhealthy', 'the runtime in the pod does not answer the kubelet');
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
      phase: 'Error',
      reason: 'VolumeLost',
      message,
      pod: no('VolumeLost', message),
    };
    return planOf([statusStage(state, outcome, now)], SAFETY_MS);
  }
  const origin = originText(state);
  const anew = origin === undefined ? 'with an empty volume' : `with a new volume from ${origin}`;
  const message = `PersistentVolumeClaim ${name} and its data are gone: set annotation agenttier.io/retry to start ${anew}`;
  return planHold(state, holdOf('VolumeLost', message), now, { changes: { pvcName: undefined } });
}
