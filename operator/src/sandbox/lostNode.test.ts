// SPDX-License-Identifier: Apache-2.0
import { NODES, PERSISTENT_VOLUME_CLAIMS, PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import { SECOND } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { Scenario } from '../testing/scenario.ts';

let s: Scenario;

const node = (taint?: string): KubeObject =>
  ({ metadata: { name: 'n1' }, spec: { taints: taint === undefined ? [] : [{ key: taint }] } }) as KubeObject;

/** Running on node n1, whose kubelet is silent from now on. */
beforeEach(async () => {
  s = new Scenario();
  s.cluster.put(NODES, node());
  await s.start();
  bind();
  await s.operator.reconcile();
});

function bind(): void {
  const pod = s.cluster.pod();
  if (pod !== undefined) s.cluster.put(PODS, { ...pod, spec: { ...pod.spec, nodeName: 'n1' } } as KubeObject);
}

/** The taint manager deletes the pod, as it does when a node does not report for some minutes. */
async function taintManager(): Promise<void> {
  const target = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' };
  s.cluster.setPodStatus({ ...READY_POD, conditions: [...(READY_POD.conditions ?? []), target] });
  await s.cluster.client.delete(PODS, { namespace: 'team', name: 'one-pod' });
  await s.operator.reconcile();
}

describe('a pod whose node does not answer', () => {
  it('is waited for as long as the node may still run it, and costs no budget', async () => {
    await taintManager();
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'RestartBackoff' });
    expect(s.status().restartCount ?? 0).toBe(0);
    s.advance(3_600 * SECOND);
    expect(await s.operator.reconcile()).toBeLessThanOrEqual(30 * SECOND);
    expect(s.cluster.objects(PODS)).toHaveLength(1);
  });

  it.each([
    ['is marked out-of-service', async () => s.cluster.put(NODES, node('node.kubernetes.io/out-of-service'))],
    ['is gone', () => s.cluster.client.delete(NODES, { name: 'n1' })],
  ])('is taken away a minute late once the node %s, and comes back on the same volume', async (_, lose) => {
    const volume = s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)[0]?.metadata.uid;
    const lost = s.cluster.pod()?.metadata.uid;
    await taintManager();
    await lose();
    s.advance(59 * SECOND);
    await s.operator.reconcile();
    expect(s.cluster.pod()?.metadata.uid).toBe(lost);
    s.advance(SECOND);
    await s.operator.reconcile();
    await s.operator.reconcile();
    expect(s.cluster.pod()?.metadata.uid).not.toBe(lost);
    expect(s.cluster.pod()?.metadata.deletionTimestamp).toBeUndefined();
    expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)[0]?.metadata.uid).toBe(volume);
  });

  it('does not hold up a deletion either', async () => {
    s.desire('Stopped');
    await s.operator.reconcile();
    await s.cluster.client.delete(NODES, { name: 'n1' });
    s.advance(60 * SECOND);
    await s.operator.reconcile();
    await s.operator.reconcile();
    expect(s.status().phase).toBe('Stopped');
  });
});

it('prefers the node of its last run', async () => {
  expect(s.status().lastNode).toBe('n1');
  s.desire('Stopped');
  await s.operator.reconcile();
  s.cluster.endPod();
  await s.operator.reconcile();
  s.desire('Running');
  await s.operator.reconcile();
  expect(JSON.stringify(s.cluster.pod()?.spec['affinity'])).toContain(
    '"key":"metadata.name","operator":"In","values":["n1"]',
  );
});
