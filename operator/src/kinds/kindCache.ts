// SPDX-License-Identifier: Apache-2.0
import { CUSTOM_RESOURCE_DEFINITIONS } from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { keyOf, Store } from '@agenttier/machinery/reflector/store';
import { trimmed } from '../trim.ts';

/** A CRD, as far as one has to know whether its objects can be read. */
export interface Kind extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export const isServed = (kind: Kind): boolean =>
  kind.metadata.deletionTimestamp === undefined &&
  (kind.status?.conditions ?? []).some(({ type, status }) => type === 'Established' && status === 'True');

/**
 * - `absent`: the cluster has no such kind, and so no object of it.
 * - `pending`: it has, and nobody knows yet, or any more, which objects there are.
 * - `ready`: all of them were read.
 */
export type KindState = 'absent' | 'pending' | 'ready';

/** The objects of a kind that a cluster may have or not, and the knowledge whether it does. */
export class KindCache<T extends KubeObject> {
  readonly store: Store<T>;
  /** Holds the CRD, while there is one. */
  readonly kinds = new Store<Kind>({}, { keep: (kind) => trimmed(CUSTOM_RESOURCE_DEFINITIONS, kind) });
  #available = false;
  readonly #told = new Set<() => void>();

  constructor(resource: Resource, indexes: Record<string, (object: T) => string[]> = {}) {
    this.store = new Store<T>(indexes, { keep: (object) => trimmed(resource, object) });
  }

  /** Whether the store can be believed: the kind is served, and all of its objects were read. */
  get available(): boolean {
    return this.#available;
  }

  get state(): KindState {
    if (this.#available) return 'ready';
    return this.kinds.list().length === 0 ? 'absent' : 'pending';
  }

  setAvailable(available: boolean): void {
    if (this.#available === available) return;
    this.#available = available;
    for (const tell of this.#told) tell();
  }

  /** Called whenever such objects become possible, or impossible. */
  onAvailability(tell: () => void): () => void {
    this.#told.add(tell);
    return () => this.#told.delete(tell);
  }

  find(namespace: string, name: string): T | undefined {
    return this.#available ? this.store.getByKey(keyOf({ metadata: { namespace, name } })) : undefined;
  }
}
