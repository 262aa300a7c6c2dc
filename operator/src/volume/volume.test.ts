// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { PERSISTENT_VOLUME_CLAIMS } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PersistentVolumeClaim } from '../core.ts';
import { converge } from '../testing/converge.ts';
import { sandbox } from '../testing/fixtures.ts';
import { Scenario } from '../testing/scenario.ts';

let s: Scenario;
beforeEach(() => {
  s = new Scenario();
});

const claim = (): PersistentVolumeClaim =>
  s.cluster.objects<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS)[0] as PersistentVolumeClaim;

function setClaim(change: {
  readonly spec?: Partial<PersistentVolumeClaim['spec']>;
  readonly status?: PersistentVolumeClaim['status'];
}): void {
  const live = claim();
  s.cluster.put(PERSISTENT_VOLUME_CLAIMS, {
    ...live,
    ...change,
    spec: { ...live.spec, ...change.spec },
  } as PersistentVolumeClaim);
}

const knowClass = (name: string, allowVolumeExpansion?: boolean): void =>
  s.operator.caches.storageClasses.applyWatch({
    metadata: { name, resourceVersion: '1' },
    ...(allowVolumeExpansion === undefined ? {} : { allowVolumeExpansion }),
  });

const edit = (spec: Parameters<typeof sandbox>[0]): void =>
  s.cluster.editSandbox((one) => ({ ...one, spec: sandbox(spec).spec ?? {} }));

describe('the class of a claim', () => {
  it.each([
    ['that is named and does not exist', { storageClassName: 'gone' }, /StorageClass gone does not exist/],
    ['that nothing names, without a default', {}, /no default StorageClass/],
  ])('%s is said to be missing', async (_name, spec, message) => {
    s.apply();
    await s.operator.reconcile();
    setClaim({ spec, status: { phase: 'Pending' } });
    s.advance(1_100);
    await s.operator.reconcile();
    expect(s.condition('VolumeReady')).toMatchObject({ status: 'False', reason: 'ClassMissing' });
    expect(s.condition('VolumeReady')?.message).toMatch(message);
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'ClassMissing' });
  });

  it('that exists is provisioning', async () => {
    s.apply();
    knowClass('fast');
    await s.operator.reconcile();
    setClaim({ spec: { storageClassName: 'fast' }, status: { phase: 'Pending' } });
    await s.operator.reconcile();
    expect(s.condition('VolumeReady')).toMatchObject({ status: 'False', reason: 'Provisioning' });
  });
});

describe('growth', () => {
  const bound = { phase: 'Bound', capacity: { storage: '10Gi' } };

  it('raises the request and is pending until the volume has grown', async () => {
    await s.start();
    knowClass('fast', true);
    setClaim({ spec: { storageClassName: 'fast' }, status: bound });
    edit({ spec: { storage: { size: '20Gi' } } });
    await s.operator.reconcile();
    expect(claim().spec.resources.requests['storage']).toBe('20Gi');
    expect(s.condition('VolumeReady')).toMatchObject({ status: 'True', reason: 'ExpandPending' });
    const resizing = { type: 'FileSystemResizePending', status: 'True', message: 'waiting for a restart' };
    setClaim({ status: { ...bound, conditions: [resizing] } });
    await s.operator.reconcile();
    expect(s.condition('VolumeReady')?.message).toContain('waiting for a restart');
    setClaim({ status: { phase: 'Bound', capacity: { storage: '20Gi' } } });
    await s.operator.reconcile();
    expect(s.condition('VolumeReady')).toMatchObject({ status: 'True', reason: 'Bound' });
  });

  it('is not tried with a class that cannot, and says so', async () => {
    await s.start();
    knowClass('slow');
    setClaim({ spec: { storageClassName: 'slow' }, status: bound });
    edit({ spec: { storage: { size: '20Gi' } } });
    const before = s.cluster.calls.length;
    await s.operator.reconcile();
    expect(s.cluster.calls.slice(before).filter(({ verb }) => verb === 'apply')).toEqual([]);
    expect(s.condition('VolumeReady')).toMatchObject({ status: 'True', reason: 'ExpandRefused' });
    expect(s.condition('VolumeReady')?.message).toContain('StorageClass slow cannot grow volumes');
    expect(s.status().phase).toBe('Running');
  });
});

describe('access', () => {
  it('is of many nodes where the volume is shared, of one otherwise', async () => {
    s.apply({ spec: { storage: { shared: true } } });
    await s.operator.reconcile();
    expect(claim().spec.accessModes).toEqual(['ReadWriteMany']);
    s = new Scenario();
    s.apply();
    await s.operator.reconcile();
    expect(claim().spec.accessModes).toEqual(['ReadWriteOnce']);
  });
});

describe('retainPolicy', () => {
  const remove = () => s.cluster.client.delete(SANDBOXES, { namespace: 'team', name: 'one' });

  it.each([
    ['from the start', { storage: { retainPolicy: 'Retain' as const } }, undefined],
    ['set later', {}, { storage: { retainPolicy: 'Retain' as const } }],
  ])('Retain, %s: the claim has no owner and outlives the sandbox', async (_name, first, later) => {
    await s.start({ spec: first });
    if (later !== undefined) edit({ spec: later });
    await s.operator.reconcile();
    const { uid } = claim().metadata;
    expect(claim().metadata.ownerReferences ?? []).toEqual([]);
    await remove();
    await converge(s, s.operator);
    expect(s.cluster.objects(SANDBOXES)).toEqual([]);
    expect(claim().metadata.uid).toBe(uid);
    expect(claim().metadata.labels).toEqual({ 'agenttier.io/retained-from': 'one' });
  });

  it('set in the moment before the deletion still holds', async () => {
    await s.start();
    edit({ spec: { storage: { retainPolicy: 'Retain' } } });
    await remove();
    await converge(s, s.operator);
    expect(claim().metadata.ownerReferences).toEqual([]);
  });

  it('Delete, also after Retain: owned again, and gone with the sandbox', async () => {
    await s.start({ spec: { storage: { retainPolicy: 'Retain' } } });
    edit({ spec: { storage: { retainPolicy: 'Delete' } } });
    await s.operator.reconcile();
    expect(claim().metadata.ownerReferences).toHaveLength(1);
    await remove();
    await converge(s, s.operator);
    expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toEqual([]);
  });

  it('leaves a volume that a new sandbox of the name does not take over', async () => {
    await s.start({ spec: { storage: { retainPolicy: 'Retain' } } });
    const { uid } = claim().metadata;
    await remove();
    await converge(s, s.operator);
    s.apply({ uid: 'uid-two' });
    await s.operator.reconcile();
    await s.operator.reconcile();
    expect(s.condition('VolumeReady')).toMatchObject({ status: 'False', reason: 'Conflict' });
    expect(claim().metadata.uid).toBe(uid);
  });
});
