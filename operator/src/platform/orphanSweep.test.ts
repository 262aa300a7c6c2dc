// SPDX-License-Identifier: Apache-2.0
import { LABEL_SLOT, LABEL_SLOT_NAME, ownedLabels } from '@agenttier/crds/meta/labels';
import { SANDBOX_WARM_POOLS, SANDBOXES } from '@agenttier/crds/meta/resources';
import {
  CILIUM_NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  VOLUME_SNAPSHOTS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, OwnerReference, Resource } from '@agenttier/machinery/kube/resource';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { describe, expect, it } from 'vitest';
import { createCaches } from '../caches.ts';
import { Cluster } from '../testing/cluster.ts';
import { MINUTE, sandbox, T0 } from '../testing/fixtures.ts';
import { OrphanSweep } from './orphanSweep.ts';

const { signal } = new AbortController();

const written = (label: string, manager = 'agenttier-operator') => [
  { manager, operation: 'Update', fieldsV1: { 'f:metadata': { 'f:labels': { [`f:${label}`]: {} } } } },
];

const controlledBy = (kind: string, uid: string) => [
  { apiVersion: 'agenttier.io/v1alpha1', kind, name: 'one', uid, controller: true },
];

interface Left {
  readonly name?: string;
  readonly labels?: Record<string, string>;
  readonly managedFields?: unknown;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly made?: number;
}

/** Something that the operator made for a sandbox `one` that is gone. */
function left({ made = T0 - 60 * MINUTE, name = 'left', ...more }: Left = {}): KubeObject {
  return {
    metadata: {
      name,
      namespace: 'team',
      uid: `uid-${name}`,
      creationTimestamp: new Date(made).toISOString(),
      labels: ownedLabels('one', 'uid-gone'),
      managedFields: written('agenttier.io/sandbox-uid'),
      ...more,
    },
  };
}

function scene(...objects: readonly (readonly [Resource, KubeObject])[]) {
  const cluster = new Cluster();
  const caches = createCaches();
  let time = T0;
  cluster.now = () => time;
  const stores = {
    pods: caches.pods,
    secrets: caches.secrets,
    persistentvolumeclaims: caches.pvcs,
    volumesnapshots: caches.snapshots.store,
    ciliumnetworkpolicies: caches.ciliumPolicies.store,
  };
  caches.snapshots.setAvailable(true);
  caches.ciliumPolicies.setAvailable(true);
  cluster.subscribe(({ resource, gone, object }) => {
    const store = resource === SANDBOXES ? caches.sandboxes : stores[resource.plural as keyof typeof stores];
    if (gone) store?.deleteWatch(object as never);
    else store?.applyWatch(object as never);
  });
  for (const [resource, object] of objects) cluster.put(resource, object);
  const clock = { now: () => time, monotonic: () => time, sleep: () => Promise.resolve() };
  const sweeper = new OrphanSweep({ client: cluster.client, caches, log: silentLogger, clock });
  return {
    cluster,
    caches,
    pass: (ms: number) => (time += ms),
    sweep: () => sweeper.sweep(signal),
    /** Both rounds that a removal takes. */
    settle: async (): Promise<number> => {
      const first = await sweeper.sweep(signal);
      time += 10 * MINUTE;
      return first + (await sweeper.sweep(signal));
    },
  };
}

describe('the sweep removes', () => {
  it('what outlived its sandbox, at the second look', async () => {
    const { sweep, cluster } = scene([SECRETS, left()]);
    expect(await sweep()).toBe(0);
    expect(await sweep()).toBe(1);
    expect(cluster.objects(SECRETS)).toEqual([]);
  });

  it('what a sandbox left whose name has been taken again, and nothing of the new one', async () => {
    const anew = sandbox({ name: 'one', uid: 'uid-anew' });
    const its = left({ name: 'its', labels: ownedLabels('one', 'uid-anew') });
    const { settle, cluster } = scene([SANDBOXES, anew], [SECRETS, its], [SECRETS, left()]);
    expect(await settle()).toBe(1);
    expect(cluster.objects(SECRETS).map(({ metadata }) => metadata.name)).toEqual(['its']);
  });

  it.each([PERSISTENT_VOLUME_CLAIMS, VOLUME_SNAPSHOTS])(
    'a $kind that still says that it goes with the sandbox',
    async (resource) => {
      const { settle } = scene([resource, left({ ownerReferences: controlledBy('Sandbox', 'uid-gone') })]);
      expect(await settle()).toBe(1);
    },
  );

  it('policies of Cilium, while it is there to have any', async () => {
    const there = scene([CILIUM_NETWORK_POLICIES, left()]);
    expect(await there.settle()).toBe(1);
    const gone = scene([CILIUM_NETWORK_POLICIES, left()]);
    gone.caches.ciliumPolicies.setAvailable(false);
    expect(await gone.settle()).toBe(0);
  });

  it('a slot without a pool', async () => {
    const slot = {
      labels: { 'agenttier.io/managed': 'true', [LABEL_SLOT]: 'fast' },
      managedFields: written(LABEL_SLOT),
    };
    expect(await scene([SECRETS, left(slot)]).settle()).toBe(1);
    const pool = { metadata: { name: 'fast', namespace: 'team', uid: 'uid-pool' } };
    expect(await scene([SECRETS, left(slot)], [SANDBOX_WARM_POOLS, pool]).settle()).toBe(0);
  });
});

describe('the sweep leaves', () => {
  const kept: readonly (readonly [string, Resource, KubeObject])[] = [
    ['what is younger than ten minutes', SECRETS, left({ made: T0 - MINUTE + 10 * MINUTE })],
    [
      'what somebody copied the labels to',
      SECRETS,
      left({ managedFields: written('agenttier.io/sandbox-uid', 'kubectl') }),
    ],
    ['what nobody is known to have written', SECRETS, left({ managedFields: undefined })],
    ['what is not marked as managed', SECRETS, left({ labels: { 'agenttier.io/sandbox-uid': 'uid-gone' } })],
    ['a volume that was let go on purpose', PERSISTENT_VOLUME_CLAIMS, left()],
    ['a snapshot that was let go on purpose', VOLUME_SNAPSHOTS, left()],
    [
      'what belongs to somebody else by now',
      PODS,
      left({ ownerReferences: controlledBy('Job', 'uid-gone') }),
    ],
    ['what another sandbox controls', PODS, left({ ownerReferences: controlledBy('Sandbox', 'uid-other') })],
  ];
  it.each(kept)('%s', async (_, resource, object) => {
    expect(await scene([resource, object]).settle()).toBe(0);
  });

  it('what a sandbox has that the watch has not told of', async () => {
    const { settle, caches, cluster } = scene([SANDBOXES, sandbox({ uid: 'uid-gone' })], [SECRETS, left()]);
    caches.sandboxes.deleteWatch(sandbox({ uid: 'uid-gone' }));
    expect(await settle()).toBe(0);
    expect(cluster.objects(SECRETS)).toHaveLength(1);
  });

  it('the objects of a slot that a sandbox took, whose pool is gone', async () => {
    const labels = { 'agenttier.io/managed': 'true', [LABEL_SLOT]: 'fast', [LABEL_SLOT_NAME]: 'slot-1' };
    const pod = left({ name: 'slot-1', labels: { ...labels, ...ownedLabels('one', 'uid-one') } });
    const { settle } = scene(
      [SANDBOXES, sandbox({ uid: 'uid-one' })],
      [PODS, pod],
      [SECRETS, left({ labels, managedFields: written(LABEL_SLOT) })],
    );
    expect(await settle()).toBe(0);
  });

  it('what changes hands in the moment of its removal', async () => {
    const { settle, cluster } = scene([SECRETS, left()]);
    cluster.before = ({ verb }) => {
      if (verb === 'delete') cluster.put(SECRETS, left({ labels: ownedLabels('two', 'uid-two') }));
    };
    expect(await settle()).toBe(0);
    expect(cluster.objects(SECRETS)).toHaveLength(1);
  });

  it('everything, when the API server cannot say whether the sandbox is gone', async () => {
    const { sweep, cluster } = scene([SECRETS, left()]);
    await sweep();
    cluster.before = ({ resource }) => {
      if (resource === 'sandboxes') throw new Error('no answer');
    };
    await expect(sweep()).rejects.toThrow('no answer');
    expect(cluster.objects(SECRETS)).toHaveLength(1);
  });
});
