// SPDX-License-Identifier: Apache-2.0
import { LABEL_SANDBOX_UID, LABEL_SLOT_NAME, LABEL_SLOT_STATE } from '@agenttier/crds/meta/labels';
import { SANDBOX_WARM_POOLS } from '@agenttier/crds/meta/resources';
import {
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { deriveToken } from '@agenttier/machinery/secrets/derive';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../testing/cluster.ts';
import { refusal } from '../testing/cluster.ts';
import { MINUTE, SETTINGS, TEMPLATE, template } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { WarmWorld } from '../testing/warmWorld.ts';
import { nonceIn } from './tokenSecret.ts';

let world: WarmWorld;

beforeEach(async () => {
  world = new WarmWorld();
  world.pool();
  await world.fill();
  world.cluster.calls.length = 0;
});

const status = (name = 'one') => world.cluster.sandbox(name).status ?? {};
const writes = (): Call[] => world.cluster.calls.filter(({ verb }) => verb !== 'get' && verb !== 'list');

/** What must be true of a sandbox that is up, whatever happened on the way. */
function expectWhole(name = 'one'): void {
  const { metadata } = world.cluster.sandbox(name);
  const uid = metadata.uid ?? '';
  expect(status(name)).toMatchObject({ phase: 'Running' });
  const pods = world.claimed().filter((pod) => pod.metadata.labels?.[LABEL_SANDBOX_UID] === uid);
  expect(pods.map((pod) => pod.metadata.name)).toEqual([status(name).podName]);
  const find = (resource: Resource, object: string) => world.cluster.find(resource, 'team', object);
  const mounted = JSON.stringify(pods[0]?.spec['volumes']);
  expect(mounted).toContain(`"claimName":"${status(name).pvcName}"`);
  const volume = find(PERSISTENT_VOLUME_CLAIMS, status(name).pvcName ?? '');
  expect(volume?.metadata.ownerReferences?.[0]).toMatchObject({ uid });
  const base = volume?.metadata.labels?.[LABEL_SLOT_NAME] ?? name;
  const token = deriveToken(SETTINGS.tokenKey, `${uid}/${nonceIn(pods[0])}`);
  expect(find(SECRETS, `${base}-runtime-token`)).toMatchObject({
    metadata: { ownerReferences: [{ uid }] },
    data: { token: Buffer.from(token).toString('base64') },
  });
  expect(find(NETWORK_POLICIES, `${base}-netpol`)).toMatchObject({
    metadata: { ownerReferences: [{ uid }] },
    spec: { podSelector: { matchLabels: { [LABEL_SANDBOX_UID]: uid } } },
  });
}

describe('a warm start', () => {
  it('takes the slot with two writes before Running, and six in all with its event', async () => {
    world.sandbox({ spec: { env: [{ name: 'A', value: '1' }] } });
    await world.start();
    expectWhole();
    expect(status()).toMatchObject({ startup: { path: 'warm' } });
    const done = writes();
    const running = done.findIndex(({ resource }) => resource === 'sandboxes');
    expect(done.slice(0, running + 1).map(({ resource }) => resource)).toEqual(['pods', 'sandboxes']);
    // The sixth is the event.
    expect(done.length).toBeLessThanOrEqual(5);
    expect(world.adoptions).toMatchObject([
      {
        sandbox: 'uid-one',
        env: [
          { name: 'HOME', value: '/workspace' },
          { name: 'A', value: '1' },
        ],
      },
    ]);
    world.cluster.calls.length = 0;
    await world.start();
    expect(writes()).toEqual([]);
  });

  it.each([
    ['another image', { image: { repository: 'example.test/other' } }],
    ['a runtime class', { runtimeClass: 'gvisor' }],
    ['another volume', { storage: { size: '11Gi' } }],
    ['more memory', { resources: { limits: { memory: '5Gi' } } }],
    ['no wish for one', { warmPool: 'Never' as const }],
    [
      'a variable from a Secret',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
    ],
  ])('is none with %s', async (_what, spec) => {
    world.sandbox({ spec });
    await world.start();
    expect(world.slots()).toHaveLength(1);
    expect(world.cluster.find(PODS, 'team', 'one-pod')).toBeDefined();
    expect(world.cluster.find(PODS, 'team', 'one-pod')?.metadata.labels).not.toHaveProperty(LABEL_SLOT_NAME);
  });

  it('is for one of two: the other takes the next slot, or starts cold at once', async () => {
    world.pool({ replicas: 2 });
    await world.fill();
    for (const name of ['one', 'two', 'three']) world.sandbox({ name, uid: `uid-${name}` });
    await Promise.all(['one', 'two', 'three'].map((name) => world.start(name)));
    expectWhole('one');
    expectWhole('two');
    expect(world.cluster.find(PODS, 'team', 'three-pod')).toBeDefined();
    await world.fill(1);
    expect(world.poolStatus()).toMatchObject({ claimedTotal: 2, missTotal: 1 });
  });

  it('goes on with the next slot when another operator was faster', async () => {
    world.pool({ replicas: 2 });
    await world.fill();
    const rival = world.slots()[0] as KubeObject;
    world.operator.replica.deafen();
    const labels = {
      ...rival.metadata.labels,
      [LABEL_SLOT_STATE]: 'claimed',
      [LABEL_SANDBOX_UID]: 'uid-rival',
    };
    world.cluster.put(PODS, { ...rival, metadata: { ...rival.metadata, labels } });
    world.sandbox();
    world.operator.replica.hear();
    world.operator.slots.forget('');
    await world.start();
    expectWhole();
    expect(status().podName).not.toBe(rival.metadata.name);
  });

  it('is an Error for one that requires it, and a retry gets a slot', async () => {
    world.pool({ replicas: 0 });
    await world.fill();
    world.sandbox({ spec: { warmPool: 'Require' } });
    await world.start();
    expect(status()).toMatchObject({ phase: 'Error', reason: 'WarmPoolMiss' });
    expect(world.pods()).toEqual([]);
    world.pool({ replicas: 1 });
    await world.fill();
    world.cluster.editSandbox((one) => ({
      ...one,
      metadata: { ...one.metadata, annotations: { ...one.metadata.annotations, 'agenttier.io/retry': '1' } },
    }));
    await world.start();
    expectWhole();
  });

  it('keeps its volume for life: a resume takes no slot, whether one is free or not', async () => {
    world.sandbox();
    await world.start();
    const volume = status().pvcName;
    for (const replicas of [1, 0]) {
      world.pool({ replicas });
      await world.fill();
      world.cluster.editSandbox((one) => ({ ...one, spec: { ...one.spec, desiredState: 'Stopped' } }));
      await world.start();
      world.kubelet();
      await world.start();
      expect(status()).toMatchObject({ phase: 'Stopped', pvcName: volume });
      world.cluster.editSandbox((one) => ({ ...one, spec: { ...one.spec, desiredState: 'Running' } }));
      await world.start();
      world.kubelet();
      await world.start();
      expectWhole();
      expect(status()).toMatchObject({ podName: 'one-pod', pvcName: volume });
      await world.fill();
    }
    expect(world.volumes()).toEqual([volume]);
  });

  it('starts cold, on the volume of the slot, when the runtime of the slot does not take it', async () => {
    world.beforeAdopt = () => {
      throw new Error('no route');
    };
    world.sandbox();
    await world.start();
    for (let i = 0; i < 4; i++) {
      world.kubelet();
      await world.start();
    }
    expectWhole();
    expect(status().podName).toBe('one-pod');
    await world.fill(80);
    expect(world.volumes().filter((name) => name === status().pvcName)).toHaveLength(1);
    expect(world.volumes()).toHaveLength(2);
  });
});

class Killed extends Error {}

/** Every write and request of a warm start, in order, so that a death can be put before and after each. */
async function steps(): Promise<number> {
  const probe = new WarmWorld();
  probe.pool();
  await probe.fill();
  probe.cluster.calls.length = 0;
  probe.sandbox();
  await probe.start();
  return probe.cluster.calls.length + probe.adoptions.length;
}

describe('the operator killed in a warm start', () => {
  it('at any step, before or after it took effect: the next leader finishes, with one pod and one volume', async () => {
    const total = await steps();
    expect(total).toBeGreaterThan(4);
    for (let at = 0; at < total; at++) {
      for (const when of ['before', 'after'] as const) {
        world = new WarmWorld();
        world.pool();
        await world.fill();
        let count = 0;
        let dead = false;
        const die = (moment: string) => (): void => {
          if (dead) throw new Killed();
          if (moment === 'before') count++;
          if (count - 1 === at && moment === when) {
            dead = true;
            throw new Killed();
          }
        };
        world.cluster.before = die('before');
        world.cluster.after = die('after');
        world.beforeAdopt = die('before');
        world.afterAdopt = die('after');
        world.sandbox();
        await world.start().catch(() => undefined);
        world.takeOver();
        for (let i = 0; i < 4; i++) {
          await world.start();
          world.kubelet();
        }
        expectWhole();
        // Refilled, and nothing but the sandbox's and the new slot's volume is left.
        for (let i = 0; i < 4; i++) await world.fill(20);
        await world.start();
        expectWhole();
        expect([at, when, world.slots().length, world.volumes().length]).toEqual([at, when, 1, 2]);
      }
    }
  });
});

describe('an answer that is lost', () => {
  it('is found again: the slot is claimed, and no second one', async () => {
    world.pool({ replicas: 2 });
    await world.fill();
    world.sandbox();
    let lost = false;
    world.cluster.after = ({ resource, verb }) => {
      if (resource !== 'pods' || verb !== 'patch' || lost) return;
      lost = true;
      throw refusal(504, 'Timeout', 'no answer');
    };
    await world.start();
    expectWhole();
    expect(world.claimed()).toHaveLength(1);
  });

  it('that takes effect after all, when the sandbox has gone on, gives a slot that is deleted', async () => {
    const slot = world.slots()[0] as KubeObject;
    world.sandbox();
    world.cluster.before = ({ resource, verb }) => {
      if (resource === 'pods' && (verb === 'patch' || verb === 'get'))
        throw refusal(504, 'Timeout', 'no answer');
    };
    await expect(world.start()).rejects.toThrow('no answer');
    await world.start();
    world.cluster.before = undefined;
    world.kubelet();
    await world.start();
    expect(status().podName).toBe('one-pod');
    const labels = {
      ...slot.metadata.labels,
      [LABEL_SLOT_STATE]: 'claimed',
      'agenttier.io/sandbox': 'one',
      [LABEL_SANDBOX_UID]: 'uid-one',
    };
    const owner = {
      apiVersion: 'agenttier.io/v1alpha1',
      kind: 'Sandbox',
      name: 'one',
      uid: 'uid-one',
      controller: true,
    };
    world.cluster.put(PODS, { ...slot, metadata: { ...slot.metadata, labels, ownerReferences: [owner] } });
    await world.start();
    world.kubelet();
    expectWhole();
    await world.fill(80);
    expect(world.slots()).toHaveLength(1);
    expect(world.volumes()).toHaveLength(2);
  });
});

describe('a drain and a claim at the same time', () => {
  it('have one winner, whichever comes first', async () => {
    for (const claimFirst of [true, false]) {
      world = new WarmWorld();
      world.pool();
      await world.fill();
      world.sandbox();
      world.pool({ replicas: 0 });
      const both = [() => world.start(), () => world.reconcilePools()];
      if (!claimFirst) both.reverse();
      await Promise.all(both.map((go) => go()));
      world.kubelet();
      await world.start();
      world.kubelet();
      await world.start();
      expectWhole();
    }
  });
});

describe('a pool', () => {
  it('replaces its slots when the template changes, and none of the old is claimed', async () => {
    const before = world.slots()[0]?.metadata.name;
    const changed = template({ ...TEMPLATE.spec, image: { repository: 'example.test/tools', tag: '2' } });
    const metadata = { ...changed.metadata, generation: 2, resourceVersion: '2' };
    world.operator.replica.caches.clusterTemplates.applyWatch({ ...changed, metadata });
    await world.fill();
    expect(world.slots().map((pod) => pod.metadata.name)).not.toContain(before);
    expect(world.slots()).toHaveLength(1);
    expect(world.volumes()).toHaveLength(1);
  });

  it('grows an old slot out without ever being empty', async () => {
    const before = world.slots()[0]?.metadata.name;
    world.advance(13 * 60 * MINUTE);
    let least = 1;
    for (let i = 0; i < 8; i++) {
      await world.fill(1);
      least = Math.min(least, world.poolStatus().free ?? 0);
    }
    expect(least).toBe(1);
    expect(world.slots().map((pod) => pod.metadata.name)).not.toContain(before);
    expect(world.slots()).toHaveLength(1);
  });

  it('never counts a failed slot as free, and tries again ever more slowly', async () => {
    world.pool({ replicas: 3 });
    const waiting = { reason: 'ImagePullBackOff', message: 'no such image' };
    const broken = { phase: 'Pending', containerStatuses: [{ name: 'sandbox', state: { waiting } }] };
    const born = new Set<string>();
    for (let second = 0; second < 120; second++) {
      world.advance(1_000);
      await world.reconcilePools();
      for (const pod of world.slots()) {
        if (pod.status === undefined) world.cluster.put(PODS, { ...pod, status: broken } as KubeObject);
        born.add(pod.metadata.uid ?? '');
      }
      for (const pod of world.pods()) if (pod.metadata.deletionTimestamp) world.cluster.endPod(pod);
    }
    expect(world.poolStatus()).toMatchObject({ free: 1, failed: 2 });
    expect(world.poolStatus().conditions?.[0]).toMatchObject({ status: 'False', reason: 'SlotFailed' });
    expect(born.size).toBeLessThan(16);
    expect(READY_POD.phase).toBe('Running');
  });

  it('follows the demand, and does not forget it with a change of leader', async () => {
    world.pool({ replicas: 0, autoscale: { min: 1, max: 4, window: '10m' } });
    const names = ['one', 'two', 'three'];
    for (const name of names) world.sandbox({ name, uid: `uid-${name}` });
    for (const name of names) await world.start(name);
    await world.fill();
    expect(world.slots()).toHaveLength(3);
    world.takeOver();
    await world.fill();
    expect(world.slots()).toHaveLength(3);
    world.advance(11 * MINUTE);
    await world.fill();
    expect(world.slots()).toHaveLength(1);
  });

  it('does not offer a slot whose node is lost', async () => {
    const [slot] = world.slots();
    world.operator.slots.answered(slot?.metadata.uid ?? '');
    world.advance(MINUTE);
    const conditions = [{ type: 'Ready', status: 'Unknown' }];
    world.cluster.put(PODS, { ...slot, status: { ...slot?.status, conditions } } as KubeObject);
    world.sandbox();
    await world.start();
    expect(world.cluster.find(PODS, 'team', 'one-pod')).toBeDefined();
  });

  it('takes everything with it when it is deleted, but not what was claimed', async () => {
    world.pool({ replicas: 2 });
    await world.fill();
    world.sandbox();
    await world.start();
    world.cluster.drop(SANDBOX_WARM_POOLS, 'team', 'pool');
    await world.fill();
    expectWhole();
    expect(world.slots()).toEqual([]);
    expect(world.volumes()).toEqual([status().pvcName]);
  });
});
