// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { findCondition } from '@agenttier/crds/meta/conditions';
import { ANNOTATION_ACTION, ANNOTATION_RETRY } from '@agenttier/crds/meta/labels';
import {
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICE_ACCOUNTS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Secret } from '../core.ts';
import { Cluster, refusal } from '../testing/cluster.ts';
import { MINUTE, SECOND, sandbox, SETTINGS, T0, template } from '../testing/fixtures.ts';
import type { SandboxOptions } from '../testing/fixtures.ts';
import { BROKEN_IMAGE, exitedPod, FAILED_POD, PENDING, READY_POD, runningPod } from '../testing/pods.ts';
import { Replica } from '../testing/replica.ts';

let time = T0;
let cluster: Cluster;
let operator: Replica;

beforeEach(() => {
  time = T0;
  cluster = new Cluster();
  cluster.now = () => time;
});

function apply(options: SandboxOptions = {}): void {
  cluster.put(SANDBOXES, sandbox(options) as KubeObject);
  operator = new Replica(cluster);
}

const status = () => cluster.sandbox().status ?? {};
const condition = (type: string) => findCondition(status().conditions, type);
const annotate = (name: string, value: string) =>
  cluster.editSandbox((one) => ({
    ...one,
    metadata: { ...one.metadata, annotations: { ...one.metadata.annotations, [name]: value } },
  }));
const desire = (desiredState: 'Running' | 'Stopped') =>
  cluster.editSandbox((one) => ({ ...one, spec: { ...one.spec, desiredState } }));

async function start(options: SandboxOptions = {}): Promise<void> {
  apply(options);
  await operator.reconcile();
  cluster.setPodStatus(READY_POD);
  await operator.reconcile();
  expect(status().phase).toBe('Running');
}

describe('create', () => {
  it('makes everything in one reconcile, the pod last', async () => {
    apply();
    await operator.reconcile();
    const writes = cluster.calls.map(({ verb, resource }) => `${verb} ${resource}`);
    expect(new Set(writes.slice(0, 4))).toEqual(
      new Set([
        'create serviceaccounts',
        'create networkpolicies',
        'create secrets',
        'create persistentvolumeclaims',
      ]),
    );
    expect(writes.slice(4)).toEqual(['create pods', 'patch sandboxes']);
    expect(status()).toMatchObject({
      phase: 'Creating',
      podName: 'one-pod',
      pvcName: 'one-workspace',
      observedGeneration: 1,
    });
  });

  it('is Running as soon as the runtime answers, before the kubelet says so', async () => {
    apply();
    await operator.reconcile();
    cluster.setPodStatus({ ...PENDING, podIP: '10.0.0.7' });
    await operator.reconcile();
    const uid = cluster.pod()?.metadata.uid ?? '';
    expect(operator.probed).toEqual([uid]);
    time += 812;
    operator.answer(uid);
    await operator.reconcile();
    expect(status()).toMatchObject({
      phase: 'Running',
      reason: 'Ready',
      startup: { path: 'cold', totalMs: 812 },
    });
    expect(condition('Ready')?.status).toBe('True');
    expect(operator.events.at(-1)?.note).toContain('startup: 812ms');
    expect(operator.tallies).toContainEqual({ metric: 'startup', path: 'cold', seconds: 0.812 });
  });

  it('has nothing to do once settled', async () => {
    await start();
    const before = cluster.calls.length;
    await operator.reconcile();
    await new Replica(cluster).reconcile();
    expect(cluster.calls.length).toBe(before);
  });

  it('does not create the pod when the NetworkPolicy is refused, and says why', async () => {
    apply();
    cluster.before = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'networkpolicies')
        throw refusal(403, 'Forbidden', 'quota exceeded');
    };
    const wait = await operator.reconcile();
    expect(cluster.objects(PODS)).toEqual([]);
    expect(status()).toMatchObject({ phase: 'Creating', reason: 'Forbidden' });
    expect(condition('NetworkReady')).toMatchObject({ status: 'False', message: 'quota exceeded' });
    expect(wait).toBeLessThanOrEqual(1_000);
    cluster.before = undefined;
    time += 1_000;
    await operator.reconcile();
    expect(cluster.objects(PODS)).toHaveLength(1);
  });

  it.each([
    [422, 'Invalid', 0, 'Rejected'],
    [403, 'Forbidden', 10 * MINUTE, 'Forbidden'],
  ])('gives a pod that is refused with %i up after its time', async (code, reason, wait, expected) => {
    apply();
    cluster.before = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'pods') throw refusal(code, reason, 'no such pod here');
    };
    await operator.reconcile();
    if (wait > 0) {
      expect(status().phase).toBe('Creating');
      time += wait;
      await operator.reconcile();
    }
    expect(status()).toMatchObject({ phase: 'Error', reason: expected });
    expect(status().message).toContain('no such pod here');
  });

  it('keeps trying on faults of the API server and is never an Error for them', async () => {
    apply();
    cluster.before = ({ verb }) => {
      if (verb === 'create') throw refusal(503, 'ServiceUnavailable', 'busy');
    };
    await expect(operator.reconcile()).rejects.toThrow('busy');
    expect(status()).toMatchObject({ phase: 'Creating', reason: 'ApiUnavailable' });
    time += 60 * MINUTE;
    await expect(operator.reconcile()).rejects.toThrow('busy');
    cluster.before = undefined;
    await operator.reconcile();
    expect(cluster.objects(PODS)).toHaveLength(1);
    expect(status().phase).toBe('Creating');
  });

  it('leaves an object of somebody else alone', async () => {
    apply();
    cluster.put(PERSISTENT_VOLUME_CLAIMS, {
      metadata: { name: 'one-workspace', namespace: 'team', uid: 'theirs' },
    });
    await operator.reconcile();
    expect(condition('VolumeReady')).toMatchObject({ status: 'False', reason: 'Conflict' });
    expect(cluster.objects(PODS)).toEqual([]);
    expect(cluster.objects(PERSISTENT_VOLUME_CLAIMS)[0]?.metadata.uid).toBe('theirs');
  });
});

describe('objects of an earlier sandbox of the same name', () => {
  const leftover = (name: string, more: object = {}): KubeObject => ({
    metadata: {
      name,
      namespace: 'team',
      uid: `old-${name}`,
      labels: {
        'agenttier.io/managed': 'true',
        'agenttier.io/sandbox': 'one',
        'agenttier.io/sandbox-uid': 'old',
      },
      ownerReferences: [
        { apiVersion: 'agenttier.io/v1alpha1', kind: 'Sandbox', name: 'one', uid: 'old', controller: true },
      ],
      ...more,
    },
  });

  it('are replaced, except a volume', async () => {
    apply();
    cluster.put(NETWORK_POLICIES, leftover('one-netpol'));
    cluster.put(SECRETS, leftover('one-runtime-token'));
    await operator.reconcile();
    expect(cluster.objects(PODS)).toHaveLength(1);
    expect(cluster.objects(NETWORK_POLICIES)[0]?.metadata.uid).not.toBe('old-one-netpol');
  });

  it('a pod that is still ending is waited for', async () => {
    apply();
    cluster.put(PODS, leftover('one-pod', { deletionTimestamp: new Date(T0).toISOString() }));
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Creating', reason: 'WaitingForRemoval' });
    cluster.endPod();
    await operator.reconcile();
    expect(cluster.objects(PODS)[0]?.metadata.uid).not.toBe('old-one-pod');
  });
});

describe('stop and resume', () => {
  it('is Stopped only when the pod is gone, and keeps the volume', async () => {
    await start();
    const volume = cluster.objects(PERSISTENT_VOLUME_CLAIMS)[0]?.metadata.uid;
    desire('Stopped');
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Running', reason: 'Stopping' });
    expect(condition('Ready')).toMatchObject({ status: 'False', reason: 'Stopping' });
    cluster.endPod();
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Stopped', reason: 'UserRequested', pvcName: 'one-workspace' });
    expect(status().startedAt).toBeUndefined();
    expect(operator.tallies).toContainEqual({ metric: 'stop', reason: 'UserRequested' });
    const token = cluster.objects<Secret>(SECRETS)[0]?.data;
    time += MINUTE;
    desire('Running');
    await operator.reconcile();
    time += 700;
    cluster.setPodStatus(READY_POD);
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Running', startup: { path: 'resume', totalMs: 700 } });
    expect(status().restartCount).toBeUndefined();
    expect(cluster.objects(PERSISTENT_VOLUME_CLAIMS)[0]?.metadata.uid).toBe(volume);
    expect(cluster.objects<Secret>(SECRETS)[0]?.data).not.toEqual(token);
  });

  it('a resume during the stop waits for the old pod and is no failure', async () => {
    await start();
    const old = cluster.pod()?.metadata.uid;
    desire('Stopped');
    await operator.reconcile();
    desire('Running');
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Creating', reason: 'WaitingForPod' });
    await operator.reconcile();
    cluster.endPod();
    await operator.reconcile();
    expect(cluster.pod()?.metadata.uid).not.toBe(old);
    expect(status().restartCount).toBeUndefined();
    expect(operator.tallies).toEqual([expect.objectContaining({ metric: 'startup' })]);
  });

  it('stops during Creating', async () => {
    apply();
    await operator.reconcile();
    desire('Stopped');
    await operator.reconcile();
    cluster.endPod();
    await operator.reconcile();
    expect(status().phase).toBe('Stopped');
  });

  it('makes nothing for a sandbox that is created stopped', async () => {
    apply({ spec: { desiredState: 'Stopped' } });
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Stopped', reason: 'UserRequested' });
    expect(cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toEqual([]);
  });

  it('obeys the action annotation and takes it away', async () => {
    await start();
    annotate(ANNOTATION_ACTION, 'stop');
    await operator.reconcile();
    cluster.endPod();
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Stopped', reason: 'UserRequested' });
    expect(cluster.sandbox().metadata.annotations?.[ANNOTATION_ACTION]).toBeUndefined();
    await new Replica(cluster).reconcile();
    expect(cluster.objects(PODS)).toEqual([]);
    annotate(ANNOTATION_ACTION, 'resume');
    await operator.reconcile();
    await operator.reconcile();
    expect(cluster.objects(PODS)).toHaveLength(1);
    expect(cluster.sandbox().metadata.annotations?.[ANNOTATION_ACTION]).toBeUndefined();
  });
});

describe('time limits', () => {
  it.each([
    [{ timeout: '1h' }, 60 * MINUTE, 'MaxRuntime'],
    [{ idleTimeout: '30m' }, 30 * MINUTE, 'IdleTimeout'],
    [{ timeout: '1h', idleTimeout: '2h' }, 60 * MINUTE, 'MaxRuntime'],
  ])('%j stops at the exact deadline and stays stopped', async (spec, limit, reason) => {
    await start({ spec });
    expect(await operator.reconcile()).toBe(limit);
    time += limit - 1;
    await operator.reconcile();
    expect(status().phase).toBe('Running');
    time += 1;
    await operator.reconcile();
    cluster.endPod();
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Stopped', reason });
    time += MINUTE;
    await new Replica(cluster).reconcile();
    expect(cluster.objects(PODS)).toEqual([]);
    cluster.editSandbox((one) => ({ ...one, spec: { ...one.spec, autoResume: true } }));
    await operator.reconcile();
    expect(cluster.objects(PODS)).toEqual([]);
    annotate(ANNOTATION_RETRY, 'again');
    await operator.reconcile();
    expect(cluster.objects(PODS)).toHaveLength(1);
    expect(condition('Held')).toBeUndefined();
  });

  it('activity moves the idle deadline', async () => {
    await start({ spec: { idleTimeout: '30m' } });
    time += 20 * MINUTE;
    const lastActivityTimestamp = new Date(time).toISOString();
    cluster.editSandbox((one) => ({ ...one, status: { ...one.status, lastActivityTimestamp } }));
    expect(await operator.reconcile()).toBe(30 * MINUTE);
  });

  it('a user stop and start replaces a hold', async () => {
    await start({ spec: { timeout: '1h' } });
    time += 60 * MINUTE;
    await operator.reconcile();
    cluster.endPod();
    await operator.reconcile();
    desire('Stopped');
    await operator.reconcile();
    desire('Running');
    await operator.reconcile();
    expect(cluster.objects(PODS)).toHaveLength(1);
  });
});

describe('failures', () => {
  it('heals a pod that somebody deleted, on the same volume, after the wait', async () => {
    await start();
    await cluster.client.delete(PODS, { namespace: 'team', name: 'one-pod' });
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Creating', reason: 'RestartBackoff', restartCount: 1 });
    await operator.reconcile();
    cluster.endPod();
    const wait = (await operator.reconcile()) ?? 0;
    expect(wait).toBeGreaterThanOrEqual(8 * SECOND);
    expect(wait).toBeLessThanOrEqual(12 * SECOND);
    expect(cluster.objects(PODS)).toEqual([]);
    time += wait;
    await operator.reconcile();
    cluster.setPodStatus(READY_POD);
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Running', restartCount: 1, pvcName: 'one-workspace' });
    expect(status().startup?.path).toBe('cold');
    time += 5 * MINUTE;
    await operator.reconcile();
    expect(status().restartCount).toBeUndefined();
  });

  it('counts a pod that vanished without a trace', async () => {
    await start();
    cluster.endPod();
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Creating', reason: 'RestartBackoff', restartCount: 1 });
  });

  it.each([
    ['OOMKilled', FAILED_POD.oom, 1],
    ['Evicted', FAILED_POD.evicted, 1],
    ['TerminationByKubelet', FAILED_POD.drained, undefined],
  ])('%s: the dead pod is removed and the sandbox comes back', async (reason, dead, count) => {
    await start();
    cluster.setPodStatus(dead);
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Creating', reason: 'RestartBackoff' });
    expect(status().restartCount ?? 0).toBe(count ?? 0);
    expect(condition('PodReady')?.reason).toBe(reason);
    expect(cluster.pod()?.metadata.deletionTimestamp).toBeDefined();
    cluster.endPod();
    time += 15 * SECOND;
    await operator.reconcile();
    expect(cluster.pod()?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('gives up after five restarts, and a retry has a new budget', async () => {
    await start();
    for (let restart = 1; restart <= 5; restart++) {
      cluster.setPodStatus(FAILED_POD.oom);
      await operator.reconcile();
      expect(status().restartCount).toBe(restart);
      cluster.endPod();
      time += 4 * MINUTE;
      await operator.reconcile();
    }
    cluster.setPodStatus(FAILED_POD.oom);
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Error', reason: 'OOMKilled' });
    cluster.endPod();
    await operator.reconcile();
    annotate(ANNOTATION_RETRY, '1');
    await operator.reconcile();
    cluster.setPodStatus(FAILED_POD.oom);
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Creating', restartCount: 1 });
  });

  it.each([
    [0, 'Stopped', 'Completed'],
    [3, 'Error', 'ApplicationError'],
  ])('exit %i ends as %s', async (code, phase, reason) => {
    await start();
    cluster.setPodStatus(exitedPod(code));
    await operator.reconcile();
    cluster.endPod();
    await operator.reconcile();
    expect(status()).toMatchObject({ phase, reason });
    expect(cluster.objects(PODS)).toEqual([]);
    expect(cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toHaveLength(1);
  });

  it('says at once why an image cannot be pulled, and gives up at the deadline', async () => {
    apply();
    await operator.reconcile();
    cluster.setPodStatus(BROKEN_IMAGE.backOff);
    expect(await operator.reconcile()).toBeLessThanOrEqual(30 * SECOND);
    expect(status()).toMatchObject({ phase: 'Creating', reason: 'ImagePullBackOff' });
    expect(condition('Ready')?.message).toContain('Back-off pulling image');
    time += 10 * MINUTE;
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Error', reason: 'ImagePullBackOff' });
  });

  it('names a pull secret that does not exist', async () => {
    apply({ spec: { image: { pullSecret: 'registry-login' } } });
    await operator.reconcile();
    cluster.setPodStatus(BROKEN_IMAGE.backOff);
    await operator.reconcile();
    expect(status().reason).toBe('PullSecretMissing');
    expect(status().message).toContain('spec.image.pullSecret names Secret registry-login');
  });

  it.each([
    ['InvalidImageName', 0],
    ['ErrImageNeverPull', 0],
    ['CreateContainerConfigError', 2 * MINUTE],
  ])('%s is an Error after %i ms, and an edit of the spec starts anew', async (reason, patience) => {
    apply();
    await operator.reconcile();
    cluster.setPodStatus(BROKEN_IMAGE.waiting(reason));
    await operator.reconcile();
    if (patience > 0) {
      expect(status()).toMatchObject({ phase: 'Creating', reason });
      time += patience;
      await operator.reconcile();
    }
    expect(status()).toMatchObject({ phase: 'Error', reason });
    cluster.endPod();
    await operator.reconcile();
    const edited = sandbox({ spec: { image: { tag: '2' } } });
    cluster.editSandbox((one) => ({ ...one, spec: edited.spec ?? {} }));
    await operator.reconcile();
    expect(cluster.objects(PODS)).toHaveLength(1);
    expect(status().phase).toBe('Creating');
  });

  it('an unschedulable pod shows the scheduler’s words', async () => {
    apply();
    await operator.reconcile();
    const message = '0/1 nodes are available: insufficient cpu';
    cluster.setPodStatus({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
    });
    await operator.reconcile();
    expect(condition('PodReady')).toMatchObject({ reason: 'Unschedulable', message });
  });

  it('a runtime that stops answering shows in Ready and nowhere else', async () => {
    await start();
    cluster.setPodStatus(runningPod({ ready: false }));
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Running', reason: 'RuntimeUnhealthy' });
    expect(condition('Ready')?.status).toBe('False');
  });

  it('a volume that is gone is an Error, never silently a new one', async () => {
    await start();
    desire('Stopped');
    await operator.reconcile();
    cluster.endPod();
    await operator.reconcile();
    await cluster.client.delete(PERSISTENT_VOLUME_CLAIMS, { namespace: 'team', name: 'one-workspace' });
    desire('Running');
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Error', reason: 'VolumeLost' });
    expect(cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toEqual([]);
    annotate(ANNOTATION_RETRY, 'empty is fine');
    await operator.reconcile();
    expect(cluster.objects(PODS)).toHaveLength(1);
  });
});

describe('drift', () => {
  it.each([NETWORK_POLICIES, SECRETS, SERVICE_ACCOUNTS])(
    '$kind: deleted or stripped of its labels, it is back at once',
    async (resource) => {
      await start();
      const [object] = cluster.objects(resource);
      await cluster.client.delete(resource, { namespace: 'team', name: object?.metadata.name ?? '' });
      await operator.reconcile();
      const [again] = cluster.objects(resource);
      expect(again).toBeDefined();
      cluster.put(resource, { ...again, metadata: { ...again?.metadata, labels: {} } });
      await operator.reconcile();
      expect(cluster.objects(resource)[0]?.metadata.labels).toMatchObject({ 'agenttier.io/managed': 'true' });
    },
  );

  it('a NetworkPolicy that somebody opened is closed again, also while stopped', async () => {
    await start();
    desire('Stopped');
    await operator.reconcile();
    cluster.endPod();
    await operator.reconcile();
    const [policy] = cluster.objects<KubeObject & { spec: object }>(NETWORK_POLICIES);
    cluster.put(NETWORK_POLICIES, {
      ...policy,
      spec: { ...policy?.spec, egress: [{}] },
    } as unknown as KubeObject);
    await operator.reconcile();
    expect(cluster.objects(NETWORK_POLICIES)[0]).toMatchObject({ spec: policy?.spec });
  });

  it('an edit of spec.network is effective while running', async () => {
    await start();
    const edited = sandbox({ spec: { network: { allowInternet: true } } });
    cluster.editSandbox((one) => ({ ...one, spec: edited.spec ?? {} }));
    await operator.reconcile();
    expect(JSON.stringify(cluster.objects(NETWORK_POLICIES)[0])).toContain('0.0.0.0/0');
    expect(
      cluster.calls.filter(({ verb, resource }) => verb === 'create' && resource === 'pods'),
    ).toHaveLength(1);
  });

  it('a growing volume is asked to grow, and a refusal does not stop the sandbox', async () => {
    await start();
    const edited = sandbox({ spec: { storage: { size: '20Gi' } } });
    cluster.before = ({ verb, resource }) => {
      if (verb === 'apply' && resource === 'persistentvolumeclaims')
        throw refusal(403, 'Forbidden', 'class cannot expand');
    };
    cluster.editSandbox((one) => ({ ...one, spec: edited.spec ?? {} }));
    await operator.reconcile();
    expect(condition('VolumeReady')?.message ?? '').not.toBe('');
    expect(status().phase).toBe('Running');
    cluster.before = undefined;
    time += MINUTE;
    await operator.reconcile();
    expect(cluster.objects(PERSISTENT_VOLUME_CLAIMS)[0]).toMatchObject({
      spec: { resources: { requests: { storage: '20Gi' } } },
    });
  });
});

describe('spec.resolved', () => {
  const spoil = (
    edit: (one: NonNullable<NonNullable<ReturnType<typeof sandbox>['spec']>['resolved']>) => unknown,
  ): void => {
    const one = sandbox();
    cluster.put(SANDBOXES, {
      ...one,
      spec: { ...one.spec, resolved: edit(one.spec?.resolved as never) },
    } as unknown as KubeObject);
    operator = new Replica(cluster);
  };

  it.each([
    ['Unresolved', () => undefined],
    ['Forged', (one: object) => ({ ...one, hash: 'f'.repeat(64) })],
  ])('%s: nothing is created', async (reason, edit) => {
    spoil(edit as never);
    await operator.reconcile();
    expect(status()).toMatchObject({ phase: 'Error', reason });
    expect(condition('Resolved')).toMatchObject({ status: 'False', reason });
    expect(cluster.calls.map(({ verb }) => verb)).toEqual(['patch']);
  });

  it('a sound one later is acted upon without another command', async () => {
    spoil(() => undefined as never);
    await operator.reconcile();
    cluster.editSandbox((one) => ({ ...one, spec: sandbox().spec ?? {} }));
    await operator.reconcile();
    expect(cluster.objects(PODS)).toHaveLength(1);
  });

  it('a template that moved on is Drifted, and the sandbox stays Ready', async () => {
    await start();
    const { metadata, spec } = template({ image: { repository: 'example.test/other' } });
    operator.caches.clusterTemplates.applyWatch({
      metadata: { ...metadata, generation: 2, resourceVersion: '2' },
      spec,
    } as never);
    await operator.reconcile();
    expect(condition('Drifted')?.message).toContain('ClusterSandboxTemplate/base');
    expect(condition('Resolved')?.status).toBe('True');
  });
});

describe('delete', () => {
  const remove = () => cluster.client.delete(SANDBOXES, { namespace: 'team', name: 'one' });

  it('pod, then volume, then the finalizer', async () => {
    await start();
    await remove();
    await operator.reconcile();
    expect(status().phase).toBe('Deleting');
    expect(cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toHaveLength(1);
    cluster.endPod();
    await operator.reconcile();
    expect(cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toEqual([]);
    expect(cluster.objects(SANDBOXES)).toEqual([]);
    await operator.reconcile();
  });

  it('works for a sandbox that never started, and one whose spec is forged', async () => {
    apply();
    await remove();
    await operator.reconcile();
    expect(cluster.objects(SANDBOXES)).toEqual([]);
  });

  it('finds a pod that the cache does not know yet', async () => {
    apply();
    operator.deafen();
    const other = new Replica(cluster);
    await other.reconcile();
    await remove();
    operator.caches.sandboxes.applyLocal(cluster.sandbox());
    await operator.settle();
    expect(cluster.objects(SANDBOXES)).toHaveLength(1);
    expect(cluster.pod()?.metadata.deletionTimestamp).toBeDefined();
  });
});

it('keeps its settings apart from the plan: no start deadline means no giving up', async () => {
  apply();
  operator = new Replica(cluster, { settings: { ...SETTINGS, startDeadlineMs: 0 } });
  await operator.reconcile();
  cluster.setPodStatus(BROKEN_IMAGE.backOff);
  time += 600 * MINUTE;
  await operator.reconcile();
  expect(status().phase).toBe('Creating');
});
