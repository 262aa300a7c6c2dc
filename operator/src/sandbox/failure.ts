// SPDX-License-Identifier: Apache-2.0
import type { ContainerState, ContainerStatus, Pod, PodCondition } from '../core.ts';
import { SCRIPTS_CONTAINER } from '../harness/podParts.ts';
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

/** In which a Secret or ConfigMap that is applied a moment later may still turn up. */
const CONFIG_PATIENCE_MS = 120_000;

/** How long a waiting reason that does not go away by itself is borne; none at all where the object itself is wrong. */
const PATIENCE_MS: Readonly<Record<string, number>> = {
  InvalidImageName: 0,
  ErrImageNeverPull: 0,
  CreateContainerConfigError: CONFIG_PATIENCE_MS,
  CreateContainerError: CONFIG_PATIENCE_MS,
  RunContainerError: CONFIG_PATIENCE_MS,
  CreatePodSandboxError: CONFIG_PATIENCE_MS,
};

/** Waiting reasons of a healthy start. */
const NORMAL_WAITING: ReadonlySet<string> = new Set(['', 'ContainerCreating', 'PodInitializing']);

/** The pod, not the program in it, came to an end. */
export type Loss = Extract<Diagnosis, { kind: 'lost' }>;

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
  const { running, terminated } = mainStatus(pod)?.state ?? {};
  // Sidecars may run on, and with them the pod; the sandbox has ended all the same.
  if (terminated) return disruptionOf(pod) ?? endOf(pod, terminated);
  if (running) return { kind: 'running', ready: conditionOf(pod, 'Ready')?.status === 'True' };
  return diagnoseWaiting(pod) ?? diagnoseScheduling(pod) ?? (runsScripts(pod) ? SCRIPTS : STARTING);
}

const STARTING: Diagnosis = {
  kind: 'starting',
  reason: 'Starting',
  message: 'the containers are being started',
};

const SCRIPTS: Diagnosis = { kind: 'starting', reason: 'Starting', message: 'the init scripts are running' };

const runsScripts = ({ status }: Pod): boolean =>
  status?.initContainerStatuses?.some(({ name, state }) => name === SCRIPTS_CONTAINER && state?.running) ===
  true;

function diagnoseWaiting(pod: Pod): Diagnosis | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const statuses = [...initContainerStatuses, ...containerStatuses];
  const bad = statuses.find(({ state }) => !NORMAL_WAITING.has(state?.waiting?.reason ?? ''));
  if (bad?.state?.waiting === undefined) return undefined;
  const { reason = '', message: detail } = bad.state.waiting;
  const message = `container ${bad.name}: ${detail || reason}`;
  const patienceMs = PATIENCE_MS[reason];
  return patienceMs === undefined
    ? { kind: 'starting', reason, message }
    : { kind: 'stuck', reason, message, patienceMs };
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

/** The first that has an answer wins: a planned disruption, the kubelet's word on the pod, then its containers. */
function diagnoseFailed(pod: Pod): Diagnosis {
  return disruptionOf(pod) ?? podReason(pod) ?? diagnoseInit(pod) ?? diagnoseMain(pod);
}

const lost = (reason: string, message: string, spendsBudget = true): Loss => ({
  kind: 'lost',
  reason,
  message,
  spendsBudget,
});

/** Drain, preemption, node shutdown: Kubernetes marks such pods, and no budget is spent on them. */
export function disruptionOf(pod: Pod): Loss | undefined {
  const disruption = conditionOf(pod, 'DisruptionTarget');
  if (disruption?.status !== 'True') return undefined;
  const reason = disruption.reason || 'DisruptionTarget';
  return lost(reason, disruption.message || reason, false);
}

/** A reason on the pod itself is the kubelet's or a controller's: Evicted, NodeLost, UnexpectedAdmissionError... */
function podReason({ status }: Pod): Loss | undefined {
  const reason = status?.reason;
  return reason ? lost(reason, status.message || reason) : undefined;
}

function diagnoseInit(pod: Pod): Diagnosis | undefined {
  const statuses = pod.status?.initContainerStatuses ?? [];
  const failed = statuses.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0);
  return failed?.state?.terminated && initEnd(failed.name, failed.state.terminated);
}

function initEnd(name: string, { exitCode, reason = '', message }: Terminated): Diagnosis {
  const which = OURS[name] ?? `the init container ${name}`;
  if (KILLED.has(reason)) return lost(reason, `${which} was killed`);
  // Ours says itself what went wrong, and which script it was.
  if (name in OURS && message) return { kind: 'broken', reason: 'InitFailed', message };
  const text = message ? `: ${message}` : '';
  return {
    kind: 'broken',
    reason: 'InitFailed',
    message: `${which} ended with exit code ${exitCode}${text}`,
  };
}

const OURS: Readonly<Record<string, string>> = {
  [INIT_CONTAINER]: 'the init container',
  [SCRIPTS_CONTAINER]: 'the init script',
};

const KILLED: ReadonlySet<string> = new Set(['OOMKilled', 'ContainerStatusUnknown']);

function diagnoseMain(pod: Pod): Diagnosis {
  const ended = mainStatus(pod)?.state?.terminated;
  if (ended === undefined) return lost('PodFailed', 'the pod failed without saying why');
  return endOf(pod, ended);
}

function endOf(pod: Pod, { exitCode, reason = 'Unknown', message = '' }: Terminated): Diagnosis {
  if (reason === 'OOMKilled') return lost(reason, memoryMessage(pod));
  if (reason === 'Completed' || reason === 'Error') {
    return { kind: 'exited', exitCode, message: exitMessage(exitCode, message) };
  }
  if (reason === 'StartError' || reason === 'ContainerCannotRun') {
    return { kind: 'broken', reason: 'InitFailed', message: `the container cannot be started: ${message}` };
  }
  // ContainerStatusUnknown and the like: the node lost track of the container, the program did nothing wrong.
  return lost(reason, `the node lost the container: ${message || reason}`);
}

type Terminated = NonNullable<ContainerState['terminated']>;

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
