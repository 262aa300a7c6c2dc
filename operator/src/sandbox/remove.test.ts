// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { PERSISTENT_VOLUME_CLAIMS } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import { Replica } from '../testing/replica.ts';
import { Scenario } from '../testing/scenario.ts';
let s: Scenario;

beforeEach(() => {
  s = new Scenario();
});

const remove = () => s.cluster.client.delete(SANDBOXES, { namespace: 'team', name: 'one' });

describe('delete', () => {
  it('pod, then volume, then the finalizer', async () => {
    await s.start();
    await remove();
    await s.operator.reconcile();
    expect(s.status().phase).toBe('Deleting');
    expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toHaveLength(1);
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toEqual([]);
    expect(s.cluster.objects(SANDBOXES)).toEqual([]);
    await s.operator.reconcile();
  });

  it('works for a sandbox that never started, and one whose spec is forged', async () => {
    s.apply();
    await remove();
    await s.operator.reconcile();
    expect(s.cluster.objects(SANDBOXES)).toEqual([]);
  });

  it('finds a pod that the cache does not know yet', async () => {
    s.apply();
    s.operator.deafen();
    const other = new Replica(s.cluster);
    await other.reconcile();
    await remove();
    s.operator.caches.sandboxes.applyLocal(s.cluster.sandbox());
    await s.operator.settle();
    expect(s.cluster.objects(SANDBOXES)).toHaveLength(1);
    expect(s.cluster.pod()?.metadata.deletionTimestamp).toBeDefined();
  });
});
