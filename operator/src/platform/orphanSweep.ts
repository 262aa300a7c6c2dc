// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import { LABEL_SANDBOX_UID, LABEL_SLOT_NAME } from '@agenttier/crds/meta/labels';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import {
  CILIUM_NETWORK_POLICIES,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICE_ACCOUNTS,
  VOLUME_SNAPSHOTS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import { systemClock } from '@agenttier/machinery/runtime/clock';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { BY_UID } from '../caches.ts';
import type { Caches } from '../caches.ts';
import { isOldEnough, isParent, isProvenOurs, mayGo, parentOf } from './orphans.ts';
import type { Parent } from './orphans.ts';

export interface SweepOptions {
  readonly client: Pick<KubeClient, 'get' | 'delete'>;
  readonly caches: Caches;
  readonly log: Logger;
  readonly clock?: Clock;
}

const EVERY_MS = 10 * 60_000;
/** Objects looked at before other work gets its turn. */
const SLICE = 500;

interface Candidate {
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly parent: Parent;
}

/**
 * Removes what outlived its sandbox or pool: objects that lost the reference by which the garbage collector finds them.
 * Something is removed only when it was found without its parent twice, ten minutes apart, when both it and the absence
 * of the parent have been read from the API server, and in the very version that was read.
 */
export class OrphanSweep {
  readonly #options: SweepOptions;
  readonly #clock: Clock;
  #seen = new Set<string>();

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Sweeps until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    while (!signal.aborted) {
      await this.sweep(signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn({ err: error }, 'objects without a sandbox could not be swept');
      });
      await this.#clock.sleep(EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** One round; answers how many objects it deleted. */
  async sweep(signal: AbortSignal): Promise<number> {
    const found = await this.#candidates();
    const before = this.#seen;
    this.#seen = new Set(found.map(({ object }) => object.metadata.uid ?? ''));
    let removed = 0;
    for (const candidate of found) {
      if (signal.aborted) return removed;
      if (before.has(candidate.object.metadata.uid ?? '') && (await this.#remove(candidate, signal)))
        removed += 1;
    }
    return removed;
  }

  async #candidates(): Promise<Candidate[]> {
    const found: Candidate[] = [];
    let looked = 0;
    for (const [resource, store] of sweptStores(this.#options.caches)) {
      for (const object of store.list()) {
        if (++looked % SLICE === 0) await setImmediate();
        const parent = isOldEnough(object, this.#clock.now()) ? parentOf(object) : undefined;
        if (parent !== undefined && !this.#isInUse(object, parent)) found.push({ resource, object, parent });
      }
    }
    return found;
  }

  /** A slot that a sandbox took is in use whatever became of its pool, also before all of its objects say so. */
  #isInUse({ metadata }: KubeObject, { uid, namespace }: Parent): boolean {
    const { pods, sandboxes } = this.#options.caches;
    if (uid !== undefined) return sandboxes.byIndex(BY_UID, uid).length > 0;
    const slot = metadata.labels?.[LABEL_SLOT_NAME];
    const labels = slot === undefined ? undefined : pods.get(namespace, slot)?.metadata.labels;
    return labels?.[LABEL_SANDBOX_UID] !== undefined;
  }

  async #remove({ resource, object, parent }: Candidate, signal: AbortSignal): Promise<boolean> {
    const { client, log } = this.#options;
    const { namespace, name: parentName } = parent;
    if (isParent(await this.#read(parent.resource, { namespace, name: parentName }, signal), parent))
      return false;
    const { name = '', uid = '' } = object.metadata;
    const live = await this.#read(resource, { namespace, name }, signal);
    if (live === undefined || !this.#isStillOrphan(live, object, { resource, parent })) return false;
    const preconditions = { uid, resourceVersion: live.metadata.resourceVersion ?? '' };
    try {
      await client.delete(
        resource,
        { namespace, name },
        { preconditions, propagationPolicy: 'Background', signal },
      );
    } catch (error) {
      // Somebody changed or removed it in this moment; the next round looks again.
      if (isNotFound(error) || isConflict(error)) return false;
      throw error;
    }
    log.warn(
      { kind: resource.kind, namespace, name, parent: `${parent.resource.kind} ${parentName}` },
      'removed an object whose owner is gone',
    );
    return true;
  }

  #isStillOrphan(
    live: KubeObject,
    seen: KubeObject,
    { resource, parent }: Pick<Candidate, 'resource' | 'parent'>,
  ): boolean {
    const now = parentOf(live);
    return (
      live.metadata.uid === seen.metadata.uid &&
      now?.uid === parent.uid &&
      now?.name === parent.name &&
      isOldEnough(live, this.#clock.now()) &&
      isProvenOurs(live) &&
      mayGo(live, parent, HOLD_DATA.has(resource))
    );
  }

  async #read(
    resource: Resource,
    key: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<KubeObject | undefined> {
    try {
      return await this.#options.client.get(resource, key, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

const HOLD_DATA: ReadonlySet<Resource> = new Set([PERSISTENT_VOLUME_CLAIMS, VOLUME_SNAPSHOTS]);

/**
 * Kinds that the operator makes for sandboxes and slots. The ConfigMaps with the logs of installations are not cached; they
 * have an owner from the start, hold nothing that is billed, and are left to the garbage collector.
 */
function sweptStores(caches: Caches): readonly (readonly [Resource, Store<KubeObject>])[] {
  const { ciliumPolicies } = caches;
  const stores: readonly (readonly [Resource, unknown])[] = [
    [PODS, caches.pods],
    [PERSISTENT_VOLUME_CLAIMS, caches.pvcs],
    [NETWORK_POLICIES, caches.networkPolicies],
    ...(ciliumPolicies.available ? [[CILIUM_NETWORK_POLICIES, ciliumPolicies.store] as const] : []),
    [SECRETS, caches.secrets],
    [SERVICE_ACCOUNTS, caches.serviceAccounts],
    ...(caches.ciliumPolicies.available
      ? [[CILIUM_NETWORK_POLICIES, caches.ciliumPolicies.store] as const]
      : []),
    ...(caches.snapshots.available ? [[VOLUME_SNAPSHOTS, caches.snapshots.store] as const] : []),
  ];
  return stores as readonly (readonly [Resource, Store<KubeObject>])[];
}
