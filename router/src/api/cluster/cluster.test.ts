// SPDX-License-Identifier: Apache-2.0
import { DEPLOYMENTS, NODES, PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { errorFromResponse } from '@agenttier/machinery/kube/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requestsOf, slimNode, slimPodLoad } from '../../cluster/loads.ts';
import { ADMIN_KEY, ANN_KEY, Harness } from '../../testing/harness.ts';

const requests = (cpu: string, memory: string) => ({ resources: { requests: { cpu, memory } } });
const MI = 1024 * 1024;

describe('requestsOf', () => {
  const rows: [name: string, spec: Parameters<typeof requestsOf>[0], cpuMillis: number, memMi: number][] = [
    ['nothing', {}, 0, 0],
    ['containers', { containers: [requests('100m', '64Mi'), requests('1', '1Gi')] }, 1100, 1088],
    [
      'an init container that needs more than they do',
      { containers: [requests('100m', '64Mi')], initContainers: [requests('2', '32Mi')] },
      2000,
      64,
    ],
    [
      'sidecars beside the containers and beside later init containers',
      {
        containers: [requests('100m', '64Mi')],
        initContainers: [{ restartPolicy: 'Always', ...requests('500m', '100Mi') }, requests('1', '10Mi')],
      },
      1500,
      164,
    ],
    [
      'the overhead of a runtime class',
      { containers: [requests('100m', '64Mi')], overhead: { cpu: '250m', memory: '120Mi' } },
      350,
      184,
    ],
    [
      'requests of the pod as a whole',
      { containers: [requests('100m', '64Mi')], resources: { requests: { cpu: '3' } } },
      3000,
      64,
    ],
  ];
  it.each(rows)('counts %s', (_name, spec, cpuMillis, memMi) => {
    expect(requestsOf(spec)).toEqual({ cpuMillis, memBytes: memMi * MI });
  });
});

describe('what is kept of a cluster', () => {
  it('is the same when kept again', () => {
    const pod = {
      metadata: {
        name: 'p',
        namespace: 'n',
        uid: 'u',
        resourceVersion: '1',
        labels: { app: 'x', other: 'y' },
      },
      spec: { nodeName: 'one', containers: [requests('100m', '64Mi')] },
      status: { phase: 'Running', podIP: '10.0.0.1' },
    };
    const kept = slimPodLoad(pod);
    expect(kept).toEqual({
      metadata: { name: 'p', namespace: 'n', uid: 'u', resourceVersion: '1', labels: { app: 'x' } },
      status: { phase: 'Running' },
      load: { cpuMillis: 100, memBytes: 64 * MI, node: 'one' },
    });
    expect(slimPodLoad(kept)).toEqual(kept);
    const node = slimNode({
      metadata: { name: 'one' },
      status: {
        allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    });
    expect(slimNode(node)).toEqual(node);
  });
});

describe('the cluster', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.start();
    await node('one', 'True');
    await node('two', 'False');
    await pod('box-pod', 'Running', {
      'app.kubernetes.io/component': 'sandbox',
      'agenttier.io/sandbox': 'box',
    });
    await pod('slot-pod', 'Running', {
      'app.kubernetes.io/component': 'sandbox',
      'agenttier.io/slot-state': 'open',
    });
    await pod('ended', 'Succeeded', { 'app.kubernetes.io/component': 'sandbox' });
    await pod('scaler', 'Running', { 'app.kubernetes.io/name': 'cluster-autoscaler' });
    await pod('place', 'Running', { 'app.kubernetes.io/component': 'headroom' });
    await harness.add({ name: 'box' });
    await harness.add({ name: 'rest', phase: 'Stopped' });
  });
  afterEach(() => harness.stop());

  const node = (name: string, ready: string) =>
    harness.api.create(NODES, undefined, {
      metadata: { name, labels: { 'node.kubernetes.io/instance-type': 'large' } },
      status: { allocatable: { cpu: '2', memory: '4Gi' }, conditions: [{ type: 'Ready', status: ready }] },
    } as KubeObject);
  const pod = (name: string, phase: string, labels: Record<string, string>) =>
    harness.api.create(PODS, 'default', {
      metadata: { name, namespace: 'default', labels },
      spec: { nodeName: 'one', containers: [requests('250m', '512Mi')] },
      status: { phase },
    } as KubeObject);
  const call = (method: string, path: string, key = ADMIN_KEY, body?: unknown) =>
    harness.call(method, `/api/v1/cluster${path}`, { key, ...(body === undefined ? {} : { body }) });

  it('is told at a glance, with sandboxes counted by their pods and by themselves', async () => {
    expect(await call('GET', '/status', ANN_KEY)).toMatchObject({
      status: 200,
      body: {
        nodes: 2,
        nodesReady: 1,
        pods: 4,
        sandboxPods: 1,
        warmPods: 1,
        headroomReady: 1,
        autoscalerEnabled: true,
        sandboxes: 2,
        sandboxesRunning: 1,
      },
    });
  });

  it('tells administrators what nodes have and what is asked of them, without listing anything for it', async () => {
    expect((await call('GET', '/nodes', ANN_KEY)).status).toBe(403);
    const { body } = await call('GET', '/nodes');
    expect(body.nodes[0]).toEqual({
      name: 'one',
      ready: true,
      instanceType: 'large',
      allocatable: { cpuMillis: 2000, memBytes: 4096 * MI },
      requests: { cpuMillis: 1000, memBytes: 2048 * MI },
    });
    expect(body.summary).toMatchObject({ ready: 1, total: 2, cpuSaturationPct: 25, memSaturationPct: 25 });
    const before = harness.calls.length;
    await call('GET', '/nodes');
    await call('GET', '/status');
    expect(harness.calls.slice(before)).toEqual([]);
  });

  it('has no headroom where the chart made none', async () => {
    expect((await call('GET', '/headroom', ANN_KEY)).body).toEqual({
      replicas: 0,
      cpu: '',
      memory: '',
      readyReplicas: 0,
      enabled: false,
    });
    harness.api.before = ({ resource }) => {
      if (resource === DEPLOYMENTS) throw errorFromResponse(404, 'not found');
    };
    expect((await call('PUT', '/headroom', ADMIN_KEY, { replicas: 1 })).status).toBe(404);
  });

  it.each([
    [{}, 'replicas'],
    [{ replicas: 51 }, 'replicas'],
    [{ replicas: -1 }, 'replicas'],
    [{ replicas: 1, cpu: 'much' }, 'cpu'],
    [{ replicas: 1, memory: '0' }, 'memory'],
  ])('refuses the headroom %j', async (body, field) => {
    const answer = await call('PUT', '/headroom', ADMIN_KEY, body);
    expect([answer.status, answer.body.violations?.[0]?.field]).toEqual([400, field]);
  });
});
