// SPDX-License-Identifier: Apache-2.0
import type { ContainerStatus, Pod, PodCondition } from '../core.ts';
import { INIT_CONTAINER, MAIN_CONTAINER } from './pod.ts';

/** What a pod's status says about the sandbox. Reasons are the kubelet's own words where it has one. */
export type Diagnosis =
  | { readonly kind: 'starting'; readonly reason: string; readonly message: string }
  /** Will not start by waiting; it is given up once it has lasted `patienceMs`. */
  | { readonly kind: 'stuck'; readonly reason: string; readonly message: string; readonly patienceMs: number }
  | { readonly kind: 'running'; readonly ready: boolean }
  /** The main process ended by itself. */
  | { readonly kind: 'exited'; readonly exitCode: number; readonly message: string }
  /** Lost through no fault of the program; `spendsBudget` is false for planned disruptions (drain, preemption). */
  | {
      readonly kind: 'lost';
      readonly reason: string;
      readonly message: string;
      readonly spendsBudget: boolean;
    }
  /** Ended in a way that a new pod would repeat. */
  | { readonly kind: 'broken'; readonly reason: string; readonly message: string };

/** Waiting reasons that no amount of waiting cures: the object itself is wrong. */
const PERMANENT: ReadonlySet<string> = new Set(['InvalidImageName', 'ErrImageNeverPull']);

/** Two minutes, in which a Secret or ConfigMap that is applied a moment later may still turn up. */
const CONFIG_PATIENCE_MS = 120_000;
const CONFIG_ERRORS: ReadonlySet<string> = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CreatePodSandboxError',
]);

/** Waiting reasons of a healthy start. */
const NORMAL_WAITING: ReadonlySet<string> = new Set(['', 'ContainerCreating', 'PodInitializing']);

export function diagnose(pod: Pod): Diagnosis {
  switch (pod.status?.phase) {
    case 'Succeeded':
      return { kind: 'exited', exitCode: 0, message: 'the main process ended with exit code 0' };
    case 'Failed':
      return diagnoseFailed(pod);
    default:
      return diagnoseAlive(pod);
  }
}

/** Whether the kubelet has reported the main container as running. */
export function mainStatus(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === MAIN_CONTAINER);
}

export function conditionOf(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

function diagnoseAlive(pod: Pod): Diagnosis {
  const main = mainStatus(pod);
  if (main?.state?.running) return { kind: 'running', ready: conditionOf(pod, 'Ready')?.status === 'True' };
  return diagnoseWaiting(pod) ?? diagnoseScheduling(pod) ?? STARTING;
}

const STARTING: Diagnosis = {
  kind: 'starting',
  reason: 'Starting',
  message: 'the containers are being started',
};

function diagnoseWaiting(pod: Pod): Diagnosis | undefined {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const bad = statuses.find(({ state }) => state?.waiting && !NORMAL_WAITING.has(state.waiting.reason ?? ''));
  if (bad === undefined) return undefined;
  const reason = bad.state?.waiting?.reason ?? '';
  const message = `container ${bad.name}: ${bad.state?.waiting?.message || reason}`;
  if (PERMANENT.has(reason)) return { kind: 'stuck', reason, message, patienceMs: 0 };
  if (CONFIG_ERRORS.has(reason)) return { kind: 'stuck', reason, message, patienceMs: CONFIG_PATIENCE_MS };
  return { kind: 'starting', reason, message };
}

function diagnoseScheduling(pod: Pod): Diagnosis | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  return {
    kind: 'starting',
    reason: scheduled.reason || 'Unschedulable',
    message: scheduled.message || 'no node takes the pod',
  };
}

function diagnoseFailed(pod: Pod): Diagnosis {
  const { reason = '', message = '' } = pod.status ?? {};
  const disrupted = conditionOf(pod, 'DisruptionTarget');
  if (disrupted?.status === 'True') {
    const why = disrupted.reason || 'DisruptionTarget';
    return { kind: 'lost', reason: why, message: disrupted.message || why, spendsBudget: false };
  }
  // A reason on the pod itself is the kubelet's or a controller's: Evicted, NodeLost, UnexpectedAdmissionError...
  if (reason !== '') return { kind: 'lost', reason, message: message || reason, spendsBudget: true };
  return diagnoseInit(pod) ?? diagnoseMain(pod);
}

function diagnoseInit(pod: Pod): Diagnosis | undefined {
  const init = pod.status?.initContainerStatuses?.find(({ name }) => name === INIT_CONTAINER);
  const ended = init?.state?.terminated;
  if (ended === undefined || ended.exitCode === 0) return undefined;
  if (ended.reason === 'OOMKilled' || ended.reason === 'ContainerStatusUnknown') {
    return {
      kind: 'lost',
      reason: ended.reason,
      message: 'the init container was killed',
      spendsBudget: true,
    };
  }
  const text = ended.message ? `: ${ended.message}` : '';
  return {
    kind: 'broken',
    reason: 'InitFailed',
    message: `the init container ended with exit code ${ended.exitCode}${text}`,
  };
}

function diagnoseMain(pod: Pod): Diagnosis {
  const ended = mainStatus(pod)?.state?.terminated;
  if (ended === undefined) {
    return {
      kind: 'lost',
      reason: 'PodFailed',
      message: 'the pod failed without saying why',
      spendsBudget: true,
    };
  }
  const { exitCode, reason = '', message = '' } = ended;
  switch (reason) {
    case 'OOMKilled':
      return { kind: 'lost', reason, message: memoryMessage(pod), spendsBudget: true };
    case 'StartError':
    case 'ContainerCannotRun':
      return { kind: 'broken', reason: 'StartError', message: message || 'the container cannot be started' };
    case 'Completed':
    case 'Error':
      return { kind: 'exited', exitCode, message: exitMessage(exitCode, message) };
    default:
      // ContainerStatusUnknown and the like: the node lost track of the container, the program did nothing wrong.
      return {
        kind: 'lost',
        reason: reason || 'Unknown',
        message: message || 'the node lost the container',
        spendsBudget: true,
      };
  }
}

function exitMessage(exitCode: number, message: string): string {
  return `the main process ended with exit code ${exitCode}${message ? `: ${message}` : ''}`;
}

function memoryMessage(pod: Pod): string {
  const limit = pod.spec.containers.find(({ name }) => name === MAIN_CONTAINER)?.resources?.limits?.[
    'memory'
  ];
  return limit === undefined
    ? 'the node ran out of memory'
    : `the sandbox used more than its memory limit of ${limit}: raise spec.resources.limits.memory`;
}
