// SPDX-License-Identifier: Apache-2.0
import type { ContainerStatus, PodStatus } from '../core.ts';

const scheduled = { type: 'PodScheduled', status: 'True' };

/** On a node, containers not started. */
export const PENDING: PodStatus = { phase: 'Pending', conditions: [scheduled] };

export function runningPod({ ready }: { ready: boolean }): PodStatus {
  const word = ready ? 'True' : 'False';
  return {
    phase: 'Running',
    podIP: '10.0.0.7',
    conditions: [scheduled, { type: 'Initialized', status: 'True' }, { type: 'Ready', status: word }],
    containerStatuses: [
      { name: 'sandbox', ready, started: true, state: { running: { startedAt: '2026-11-24T08:00:00Z' } } },
    ],
  };
}

export const READY_POD: PodStatus = runningPod({ ready: true });

function ended(exitCode: number, reason: string): PodStatus {
  const sandbox: ContainerStatus = { name: 'sandbox', state: { terminated: { exitCode, reason } } };
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    conditions: [scheduled],
    containerStatuses: [sandbox],
  };
}

export const exitedPod = (exitCode: number): PodStatus =>
  ended(exitCode, exitCode === 0 ? 'Completed' : 'Error');

export const FAILED_POD = {
  oom: ended(137, 'OOMKilled'),
  evicted: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
  drained: {
    phase: 'Failed',
    reason: 'Terminated',
    conditions: [
      { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message: 'node shutdown' },
    ],
  },
} satisfies Record<string, PodStatus>;

const waiting = (reason: string, message = `${reason}: spoilt`): PodStatus => ({
  phase: 'Pending',
  conditions: [scheduled],
  containerStatuses: [{ name: 'sandbox', state: { waiting: { reason, message } } }],
});

export const BROKEN_IMAGE = {
  backOff: waiting('ImagePullBackOff', 'Back-off pulling image "example.test/tools:1"'),
  waiting,
};
