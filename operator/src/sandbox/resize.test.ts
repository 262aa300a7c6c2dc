// SPDX-License-Identifier: Apache-2.0
import { PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import { refusal } from '../testing/cluster.ts';
import { sandbox } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { Scenario } from '../testing/scenario.ts';

const small = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } };
let s: Scenario;

beforeEach(async () => {
  s = new Scenario();
  await s.start({ spec: { resources: small } });
});

/** As kubectl and admission: the spec and what it comes to. */
function ask(memory: string): void {
  const { spec } = sandbox({ spec: { resources: { ...small, limits: { cpu: '1', memory } } } });
  s.cluster.editSandbox((one) => ({ ...one, spec: spec ?? {} }));
}

const resizes = (): number =>
  s.cluster.calls.filter(
    ({ verb, resource, name }) => verb === 'patch' && resource === 'pods' && name === 'one-pod',
  ).length;
const limits = () => s.cluster.pod()?.spec.containers[0]?.resources?.limits;
const told = (): string[] => s.operator.events.map(({ reason }) => reason);

/** The node has done it, or says what keeps it from that. */
function node(memory: string, pending?: string): void {
  const [main] = READY_POD.containerStatuses ?? [];
  const resources = { requests: small.requests, limits: { cpu: '1', memory } };
  const condition = { type: 'PodResizePending', status: 'True', reason: pending ?? '', message: 'no room' };
  s.cluster.setPodStatus({
    ...READY_POD,
    conditions: [...(READY_POD.conditions ?? []), ...(pending ? [condition] : [])],
    containerStatuses: main ? [{ ...main, resources }] : [],
  });
}

describe('new CPU or memory of a sandbox that is up', () => {
  it('is given to the pod in place, and said when the node has done it', async () => {
    const uid = s.cluster.pod()?.metadata.uid;
    node('256Mi');
    ask('512Mi');
    await s.operator.reconcile();
    expect(limits()).toMatchObject({ cpu: '1', memory: '512Mi', 'ephemeral-storage': '2Gi' });
    expect(s.condition('ResizePending')).toMatchObject({ status: 'True', reason: 'Resizing' });
    expect(s.status()).toMatchObject({ phase: 'Running', reason: 'Ready' });
    node('512Mi');
    await s.operator.reconcile();
    expect(s.condition('ResizePending')).toBeUndefined();
    expect(told().slice(-2)).toEqual(['Resizing', 'Resized']);
    expect([s.cluster.pod()?.metadata.uid, resizes()]).toEqual([uid, 1]);
  });

  it('waits until a node has reported the container', async () => {
    s.cluster.setPodStatus({ ...READY_POD, containerStatuses: [] });
    ask('512Mi');
    await s.operator.reconcile();
    expect([resizes(), s.condition('ResizePending')?.reason]).toEqual([0, 'Resizing']);
    node('256Mi');
    await s.operator.reconcile();
    expect(limits()?.['memory']).toBe('512Mi');
  });

  it('waits for room on the node', async () => {
    ask('512Mi');
    await s.operator.reconcile();
    node('256Mi', 'Deferred');
    await s.operator.reconcile();
    expect(s.condition('ResizePending')).toMatchObject({ reason: 'Deferred' });
    expect(s.condition('ResizePending')?.message).toContain('no room');
  });

  it.each([
    [404, 'this cluster cannot change a pod'],
    [422, 'Pod QoS class may not change'],
  ])('takes effect at the next start where the answer is %i', async (status, message) => {
    s.cluster.before = ({ verb, resource }) => {
      if (verb === 'patch' && resource === 'pods') throw refusal(status, 'No', message);
    };
    ask('512Mi');
    await s.operator.reconcile();
    await s.operator.reconcile();
    expect(s.condition('ResizePending')).toMatchObject({ reason: 'NextStart' });
    expect(s.condition('ResizePending')?.message).toContain(message);
    expect(resizes()).toBe(1);
    s.desire('Stopped');
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    s.desire('Running');
    await s.operator.reconcile();
    s.cluster.setPodStatus(READY_POD);
    await s.operator.reconcile();
    expect(limits()?.['memory']).toBe('512Mi');
    expect(s.condition('ResizePending')).toBeUndefined();
  });

  it('is tried again with the next edit, and left alone where the cluster filled in what the spec leaves open', async () => {
    const pod = s.cluster.pod();
    const containers = pod?.spec.containers.map((one) => ({
      ...one,
      resources: { ...one.resources, limits: { ...one.resources?.limits, 'hugepages-2Mi': '0' } },
    }));
    s.cluster.put(PODS, { ...pod, spec: { ...pod?.spec, containers } } as KubeObject);
    await s.operator.reconcile();
    expect(resizes()).toBe(0);
    ask('512Mi');
    await s.operator.reconcile();
    ask('768Mi');
    await s.operator.reconcile();
    expect(limits()?.['memory']).toBe('768Mi');
  });
});
