// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_RETRY } from '@agenttier/crds/meta/labels';
import { PERSISTENT_VOLUME_CLAIMS, PODS } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import { MINUTE, SECOND, sandbox, SETTINGS } from '../testing/fixtures.ts';
import { BROKEN_IMAGE, exitedPod, FAILED_POD, PENDING, READY_POD, runningPod } from '../testing/pods.ts';
import { Scenario } from '../testing/scenario.ts';
let s: Scenario;

beforeEach(() => {
  s = new Scenario();
});

describe('failures', () => {
  it('heals a pod that somebody deleted, on the same volume, after the wait', async () => {
    await s.start();
    await s.cluster.client.delete(PODS, { namespace: 'team', name: 'one-pod' });
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'RestartBackoff', restartCount: 1 });
    await s.operator.reconcile();
    s.cluster.endPod();
    const wait = (await s.operator.reconcile()) ?? 0;
    expect(wait).toBeGreaterThanOrEqual(8 * SECOND);
    expect(wait).toBeLessThanOrEqual(12 * SECOND);
    expect(s.cluster.objects(PODS)).toEqual([]);
    s.advance(wait);
    await s.operator.reconcile();
    s.cluster.setPodStatus(READY_POD);
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Running', restartCount: 1, pvcName: 'one-workspace' });
    expect(s.status().startup?.path).toBe('cold');
    s.advance(5 * MINUTE);
    await s.operator.reconcile();
    expect(s.status().restartCount).toBeUndefined();
  });

  it('counts a pod that vanished without a trace', async () => {
    await s.start();
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'RestartBackoff', restartCount: 1 });
  });

  it('a pod that was marked as evicted and vanished at once spends no budget', async () => {
    await s.start();
    const mark = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' };
    const conditions = [...(READY_POD.conditions ?? []), mark];
    s.cluster.setPodStatus({ ...READY_POD, conditions });
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.condition('PodReady')?.reason).toBe('EvictionByEvictionAPI');
    expect(s.status().restartCount ?? 0).toBe(0);
    await s.operator.reconcile();
    s.cluster.setPodStatus(READY_POD);
    await s.operator.reconcile();
    expect(s.status().phase).toBe('Running');
    // The mark of one pod says nothing about the next.
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ reason: 'RestartBackoff', restartCount: 1 });
  });

  it.each([
    ['OOMKilled', FAILED_POD.oom, 1],
    ['Evicted', FAILED_POD.evicted, 1],
    ['TerminationByKubelet', FAILED_POD.drained, undefined],
  ])('%s: the dead pod is removed and the sandbox comes back', async (reason, dead, count) => {
    await s.start();
    s.cluster.setPodStatus(dead);
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'RestartBackoff' });
    expect(s.status().restartCount ?? 0).toBe(count ?? 0);
    expect(s.condition('PodReady')?.reason).toBe(reason);
    expect(s.cluster.pod()?.metadata.deletionTimestamp).toBeDefined();
    s.cluster.endPod();
    s.advance(15 * SECOND);
    await s.operator.reconcile();
    expect(s.cluster.pod()?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('gives up after five restarts, and a retry has a new budget', async () => {
    await s.start();
    for (let restart = 1; restart <= 5; restart++) {
      s.cluster.setPodStatus(FAILED_POD.oom);
      await s.operator.reconcile();
      expect(s.status().restartCount).toBe(restart);
      s.cluster.endPod();
      s.advance(4 * MINUTE);
      await s.operator.reconcile();
    }
    s.cluster.setPodStatus(FAILED_POD.oom);
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Error', reason: 'RestartLimitExceeded' });
    expect(s.condition('PodReady')?.reason).toBe('OOMKilled');
    s.cluster.endPod();
    await s.operator.reconcile();
    s.annotate(ANNOTATION_RETRY, '1');
    await s.operator.reconcile();
    s.cluster.setPodStatus(FAILED_POD.oom);
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Creating', restartCount: 1 });
  });

  it.each([
    [0, 'Stopped', 'Completed'],
    [3, 'Error', 'ApplicationError'],
  ])('exit %i ends as %s', async (code, phase, reason) => {
    await s.start();
    s.cluster.setPodStatus(exitedPod(code));
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase, reason });
    expect(s.cluster.objects(PODS)).toEqual([]);
    expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toHaveLength(1);
  });

  it('says at once why an image cannot be pulled, and gives up at the deadline', async () => {
    s.apply();
    await s.operator.reconcile();
    s.cluster.setPodStatus(BROKEN_IMAGE.backOff);
    expect(await s.operator.reconcile()).toBeLessThanOrEqual(30 * SECOND);
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'ImagePullBackOff' });
    expect(s.condition('Ready')?.message).toContain('Back-off pulling image');
    s.advance(10 * MINUTE);
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Error', reason: 'StartDeadlineExceeded' });
    expect(s.status().message).toContain(
      'not running after 10m: ImagePullBackOff: container sandbox: Back-off',
    );
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.condition('PodReady')?.reason).toBe('ImagePullBackOff');
  });

  it('names a pull secret that does not exist', async () => {
    s.apply({ spec: { image: { pullSecret: 'registry-login' } } });
    await s.operator.reconcile();
    s.cluster.setPodStatus(BROKEN_IMAGE.backOff);
    await s.operator.reconcile();
    expect(s.status().reason).toBe('PullSecretMissing');
    expect(s.status().message).toContain('spec.image.pullSecret names Secret registry-login');
  });

  it.each([
    ['InvalidImageName', 0],
    ['ErrImageNeverPull', 0],
    ['CreateContainerConfigError', 2 * MINUTE],
  ])('%s is an Error after %i ms, and an edit of the spec starts anew', async (reason, patience) => {
    s.apply();
    await s.operator.reconcile();
    s.cluster.setPodStatus(BROKEN_IMAGE.waiting(reason));
    await s.operator.reconcile();
    if (patience > 0) {
      expect(s.status().phase).toBe('Creating');
      expect(s.condition('PodReady')?.reason).toBe(reason);
      s.advance(patience);
      await s.operator.reconcile();
    }
    expect(s.status()).toMatchObject({ phase: 'Error', reason });
    s.cluster.endPod();
    await s.operator.reconcile();
    const edited = sandbox({ spec: { image: { tag: '2' } } });
    s.cluster.editSandbox((one) => ({ ...one, spec: edited.spec ?? {} }));
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toHaveLength(1);
    expect(s.status().phase).toBe('Creating');
  });

  it('an unschedulable pod shows the scheduler’s words', async () => {
    s.apply();
    await s.operator.reconcile();
    const message = '0/1 nodes are available: insufficient cpu';
    s.cluster.setPodStatus({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
    });
    await s.operator.reconcile();
    expect(s.condition('PodReady')?.reason).toBe('Starting');
    s.advance(SECOND);
    await s.operator.reconcile();
    expect(s.condition('PodReady')).toMatchObject({ reason: 'Unschedulable', message });
  });

  it('does not take the kubelet’s silence right after a start for a fault', async () => {
    s.apply();
    await s.operator.reconcile();
    s.cluster.setPodStatus({ ...PENDING, podIP: '10.0.0.7' });
    s.operator.answer(s.cluster.pod()?.metadata.uid ?? '');
    await s.operator.reconcile();
    s.cluster.setPodStatus(runningPod({ ready: false }));
    expect(await s.operator.reconcile()).toBe(15 * SECOND);
    expect(s.status()).toMatchObject({ phase: 'Running', reason: 'Ready' });
  });

  it('a runtime that stops answering shows in Ready and nowhere else', async () => {
    await s.start();
    s.advance(15 * SECOND);
    s.cluster.setPodStatus(runningPod({ ready: false }));
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Running', reason: 'RuntimeUnhealthy' });
    expect(s.condition('Ready')?.status).toBe('False');
  });

  it('a volume that is gone is an Error, never silently a new one', async () => {
    await s.start();
    s.desire('Stopped');
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    await s.cluster.client.delete(PERSISTENT_VOLUME_CLAIMS, { namespace: 'team', name: 'one-workspace' });
    s.desire('Running');
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Error', reason: 'VolumeLost' });
    expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toEqual([]);
    s.annotate(ANNOTATION_RETRY, 'empty is fine');
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toHaveLength(1);
  });
});

it('keeps its settings apart from the plan: no start deadline means no giving up', async () => {
  s.apply({}, { ...SETTINGS, startDeadlineMs: 0 });
  await s.operator.reconcile();
  s.cluster.setPodStatus(BROKEN_IMAGE.backOff);
  s.advance(600 * MINUTE);
  await s.operator.reconcile();
  expect(s.status().phase).toBe('Creating');
});
