// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_ACTION } from '@agenttier/crds/meta/labels';
import { PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Secret } from '../core.ts';
import { MINUTE } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { Replica } from '../testing/replica.ts';
import { Scenario } from '../testing/scenario.ts';
let s: Scenario;

beforeEach(() => {
  s = new Scenario();
});

describe('stop and resume', () => {
  it('is Stopped only when the pod is gone, and keeps the volume', async () => {
    await s.start();
    const volume = s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)[0]?.metadata.uid;
    s.desire('Stopped');
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Running', reason: 'Stopping' });
    expect(s.condition('Ready')).toMatchObject({ status: 'False', reason: 'Stopping' });
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Stopped', reason: 'UserRequested', pvcName: 'one-workspace' });
    expect(s.status().startedAt).toBeUndefined();
    expect(s.operator.tallies).toContainEqual({ metric: 'stop', reason: 'UserRequested' });
    const token = s.cluster.objects<Secret>(SECRETS)[0]?.data;
    s.advance(MINUTE);
    s.desire('Running');
    await s.operator.reconcile();
    s.advance(700);
    s.cluster.setPodStatus(READY_POD);
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Running', startup: { path: 'resume', totalMs: 700 } });
    expect(s.status().restartCount).toBeUndefined();
    expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)[0]?.metadata.uid).toBe(volume);
    expect(s.cluster.objects<Secret>(SECRETS)[0]?.data).not.toEqual(token);
  });

  it('counts each run once, when it ends', async () => {
    await s.start();
    s.advance(10 * MINUTE);
    await s.operator.reconcile();
    expect(s.status().runSeconds).toBeUndefined();
    s.desire('Stopped');
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status().runSeconds).toBe(600);
    s.advance(MINUTE);
    await s.operator.reconcile();
    expect(s.status().runSeconds).toBe(600);
    s.desire('Running');
    await s.operator.reconcile();
    s.cluster.setPodStatus(READY_POD);
    await s.operator.reconcile();
    s.advance(5 * MINUTE);
    s.desire('Stopped');
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status().runSeconds).toBe(900);
  });

  it('a resume during the stop waits for the old pod and is no failure', async () => {
    await s.start();
    const old = s.cluster.pod()?.metadata.uid;
    s.desire('Stopped');
    await s.operator.reconcile();
    s.desire('Running');
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'WaitingForPod' });
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.cluster.pod()?.metadata.uid).not.toBe(old);
    expect(s.status().restartCount).toBeUndefined();
    expect(s.operator.tallies).toEqual([expect.objectContaining({ metric: 'startup' })]);
  });

  it('stops during Creating', async () => {
    s.apply();
    await s.operator.reconcile();
    s.desire('Stopped');
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status().phase).toBe('Stopped');
  });

  it('makes nothing for a sandbox that is created stopped', async () => {
    s.apply({ spec: { desiredState: 'Stopped' } });
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Stopped', reason: 'UserRequested' });
    expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toEqual([]);
  });

  it('obeys the action annotation and takes it away', async () => {
    await s.start();
    s.annotate(ANNOTATION_ACTION, 'stop');
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Stopped', reason: 'UserRequested' });
    expect(s.cluster.sandbox().metadata.annotations?.[ANNOTATION_ACTION]).toBeUndefined();
    await new Replica(s.cluster).reconcile();
    expect(s.cluster.objects(PODS)).toEqual([]);
    s.annotate(ANNOTATION_ACTION, 'resume');
    await s.operator.reconcile();
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toHaveLength(1);
    expect(s.cluster.sandbox().metadata.annotations?.[ANNOTATION_ACTION]).toBeUndefined();
  });
});
