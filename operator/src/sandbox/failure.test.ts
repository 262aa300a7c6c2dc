// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Pod, PodStatus } from '../core.ts';
import { BROKEN_IMAGE, exitedPod, FAILED_POD, PENDING, runningPod } from '../testing/pods.ts';
import { diagnose } from './failure.ts';

const pod = (status: PodStatus | undefined, limits: Record<string, string> = {}): Pod => ({
  metadata: { name: 'one-pod' },
  spec: { containers: [{ name: 'sandbox', image: 'x', resources: { limits } }] },
  ...(status && { status }),
});

const init = (terminated: { exitCode: number; reason?: string; message?: string }): PodStatus => ({
  phase: 'Failed',
  initContainerStatuses: [{ name: 'agenttier-init', state: { terminated } }],
});

const main = (terminated: { exitCode: number; reason?: string; message?: string }): PodStatus => ({
  phase: 'Failed',
  containerStatuses: [{ name: 'sandbox', state: { terminated } }],
});

describe('diagnose', () => {
  it.each<[string, PodStatus | undefined, object]>([
    ['nothing said yet', undefined, { kind: 'starting', reason: 'Starting' }],
    ['scheduled', PENDING, { kind: 'starting', reason: 'Starting' }],
    ['being created', BROKEN_IMAGE.waiting('ContainerCreating'), { kind: 'starting', reason: 'Starting' }],
    ['image pull fails', BROKEN_IMAGE.backOff, { kind: 'starting', reason: 'ImagePullBackOff' }],
    ['image name is no name', BROKEN_IMAGE.waiting('InvalidImageName'), { kind: 'stuck', patienceMs: 0 }],
    [
      'a Secret is missing',
      BROKEN_IMAGE.waiting('CreateContainerConfigError'),
      { kind: 'stuck', patienceMs: 120_000 },
    ],
    ['running', runningPod({ ready: false }), { kind: 'running', ready: false }],
    ['ready', runningPod({ ready: true }), { kind: 'running', ready: true }],
    ['ended well', exitedPod(0), { kind: 'exited', exitCode: 0 }],
    ['ended badly', exitedPod(7), { kind: 'exited', exitCode: 7 }],
    ['evicted', FAILED_POD.evicted, { kind: 'lost', reason: 'Evicted', spendsBudget: true }],
    ['drained', FAILED_POD.drained, { kind: 'lost', reason: 'TerminationByKubelet', spendsBudget: false }],
    ['out of memory', FAILED_POD.oom, { kind: 'lost', reason: 'OOMKilled', spendsBudget: true }],
    [
      'refused by its node',
      { phase: 'Failed', reason: 'UnexpectedAdmissionError' },
      { kind: 'lost', reason: 'UnexpectedAdmissionError' },
    ],
    ['failed without a word', { phase: 'Failed' }, { kind: 'lost', reason: 'PodFailed' }],
    ['lost by the node', main({ exitCode: 137, reason: 'ContainerStatusUnknown' }), { kind: 'lost' }],
    [
      'cannot be started',
      main({ exitCode: 128, reason: 'StartError', message: 'no such file' }),
      { kind: 'broken', reason: 'InitFailed', message: 'the container cannot be started: no such file' },
    ],
    [
      'ended while a sidecar runs on',
      { ...main({ exitCode: 3, reason: 'Error' }), phase: 'Running' },
      { kind: 'exited', exitCode: 3 },
    ],
    [
      'an init container of the user failed',
      {
        phase: 'Failed',
        initContainerStatuses: [
          { name: 'agenttier-init', state: { terminated: { exitCode: 0 } } },
          { name: 'seed', state: { terminated: { exitCode: 2 } } },
        ],
      },
      { kind: 'broken', reason: 'InitFailed', message: 'the init container seed ended with exit code 2' },
    ],
    [
      'init failed',
      init({ exitCode: 1, message: 'read-only' }),
      {
        kind: 'broken',
        reason: 'InitFailed',
        message: 'read-only',
      },
    ],
    ['init was killed', init({ exitCode: 137, reason: 'OOMKilled' }), { kind: 'lost', reason: 'OOMKilled' }],
  ])('%s', (_name, status, expected) => {
    expect(diagnose(pod(status))).toMatchObject(expected);
  });

  it('names the limit that was passed', () => {
    expect(diagnose(pod(FAILED_POD.oom, { memory: '1Gi' }))).toMatchObject({
      message: expect.stringContaining('memory limit of 1Gi'),
    });
  });
});
