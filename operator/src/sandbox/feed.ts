// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { LABEL_SANDBOX } from '@agenttier/crds/meta/labels';
import { templateKey } from '@agenttier/crds/template/users';
import type { Lane, WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { keyOf } from '@agenttier/machinery/reflector/store';
import type { Store, StoreEvent } from '@agenttier/machinery/reflector/store';
import { BY_SERVICE, BY_TEMPLATE } from '../caches.ts';
import type { Caches } from '../caches.ts';
import type { Pod } from '../core.ts';
import { serviceOfSlice } from '../egress/services.ts';
import { specMoved } from '../events.ts';
import { feedOrigins } from '../volume/feed.ts';

/** An object of the sandbox with this key is gone; `pod` is its last state when it was one. */
export type OnRemoval = (key: string, pod?: Pod) => void;

/**
 * Adds a key for every change that may matter to it, until the returned function is called. Everything known already is
 * added at once, so a new leader looks at every sandbox. What concerns all of them waits in the background: a sandbox that
 * starts, stops or lost something is not to stand behind thousands that are as they should be.
 */
export function feedQueue(caches: Caches, queue: WorkQueue, onRemoval: OnRemoval): () => void {
  const addAll = (): void => {
    for (const sandbox of caches.sandboxes.list()) queue.add(keyOf(sandbox), laneOf(sandbox, 'background'));
  };
  const stops = [
    // Somebody waits for a new one: it goes before routine work.
    caches.sandboxes.subscribe(({ object }) => queue.add(keyOf(object), laneOf(object, 'normal'))),
    ...feedOwned(caches, queue, onRemoval),
    ...feedTemplates(caches, queue),
    ...feedServices(caches, queue),
    ...feedPolicies(caches, queue),
    ...feedOrigins(caches, queue),
    caches.snapshots.onAvailability(addAll),
    caches.ciliumPolicies.onAvailability(addAll),
    // That the kind is gone for good shows only here.
    caches.ciliumPolicies.kinds.subscribe(addAll),
  ];
  addAll();
  return () => {
    for (const stop of stops) stop();
  };
}

/** One that has no phase yet is new. */
const laneOf = ({ status }: Sandbox, lane: Lane): Lane => (status?.phase === undefined ? 'urgent' : lane);

type Stops = (() => void)[];

function feedOwned(caches: Caches, queue: WorkQueue, onRemoval: OnRemoval): Stops {
  const { pods, pvcs, networkPolicies, secrets, serviceAccounts } = caches;
  const { snapshots, ciliumPolicies } = caches;
  const stores = [
    pods,
    pvcs,
    networkPolicies,
    secrets,
    serviceAccounts,
    snapshots.store,
    ciliumPolicies.store,
  ];
  return stores.map((store) =>
    (store as Store<KubeObject>).subscribe(({ type, object }) => {
      const name = object.metadata.labels?.[LABEL_SANDBOX];
      if (name === undefined) return;
      const key = `${object.metadata.namespace}/${name}`;
      if (type === 'deleted') onRemoval(key, store === pods ? (object as Pod) : undefined);
      queue.add(key);
    }),
  );
}

function feedTemplates(caches: Caches, queue: WorkQueue): Stops {
  const addUsers = (kind: string, event: StoreEvent<KubeObject>): void => {
    // The status of a template counts its users: each of them would otherwise wake up all the others.
    if (!specMoved(event)) return;
    const { metadata } = event.object;
    const key = templateKey(kind, metadata.namespace, metadata.name ?? '');
    for (const sandbox of caches.sandboxes.byIndex(BY_TEMPLATE, key)) queue.add(keyOf(sandbox), 'background');
  };
  return [
    caches.templates.subscribe((event) => addUsers('SandboxTemplate', event)),
    caches.clusterTemplates.subscribe((event) => addUsers('ClusterSandboxTemplate', event)),
  ];
}

function feedServices(caches: Caches, queue: WorkQueue): Stops {
  const addNaming = (services: readonly string[]): void => {
    for (const service of services) {
      for (const sandbox of caches.sandboxes.byIndex(BY_SERVICE, service)) queue.add(keyOf(sandbox));
    }
  };
  return [
    caches.services.subscribe(({ object }) => addNaming([keyOf(object), object.metadata.name ?? ''])),
    caches.endpointSlices.subscribe(({ object }) => addNaming(serviceOfSlice(object))),
  ];
}

function feedPolicies(caches: Caches, queue: WorkQueue): Stops {
  const addGoverned = (event: StoreEvent<KubeObject>): void => {
    if (!specMoved(event)) return;
    const { namespace } = event.object.metadata;
    for (const sandbox of caches.sandboxes.list()) {
      if (namespace === undefined || sandbox.metadata.namespace === namespace)
        queue.add(keyOf(sandbox), laneOf(sandbox, 'background'));
    }
  };
  return [
    caches.policies.subscribe((event) => addGoverned(event)),
    caches.clusterPolicies.subscribe((event) => addGoverned(event)),
  ];
}
