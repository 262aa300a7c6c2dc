// SPDX-License-Identifier: Apache-2.0
import { LABEL_SANDBOX_UID } from '@agenttier/crds/meta/labels';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import { keyOf, Store } from '@agenttier/machinery/reflector/store';
import type { VolumeSnapshot } from '../core.ts';
import { trimmed } from '../trim.ts';

/** Name of the CRD by whose presence a cluster can take snapshots. */
export const SNAPSHOT_KIND = `${VOLUME_SNAPSHOTS.plural}.${VOLUME_SNAPSHOTS.group}`;

const BY_SANDBOX = 'sandbox';

/** A CRD, as far as one has to know whether its objects can be read. */
export interface Kind extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export const isServed = (kind: Kind): boolean =>
  kind.metadata.deletionTimestamp === undefined &&
  (kind.status?.conditions ?? []).some(({ type, status }) => type === 'Established' && status === 'True');

/** The VolumeSnapshots of a cluster that has such things, and the knowledge whether it does. */
export class SnapshotCache {
  readonly store = new Store<VolumeSnapshot>(
    { [BY_SANDBOX]: ({ metadata }) => [metadata.labels?.[LABEL_SANDBOX_UID] ?? ''] },
    { keep: (snapshot) => trimmed(VOLUME_SNAPSHOTS, snapshot) },
  );
  #available = false;
  readonly #told = new Set<() => void>();

  /** Whether the store can be believed: the kind is served, and all of its objects were read. */
  get available(): boolean {
    return this.#available;
  }

  setAvailable(available: boolean): void {
    if (this.#available === available) return;
    this.#available = available;
    for (const tell of this.#told) tell();
  }

  /** Called whenever snapshots become possible, or impossible. */
  onAvailability(tell: () => void): () => void {
    this.#told.add(tell);
    return () => this.#told.delete(tell);
  }

  /** Snapshots that carry the label of a sandbox; undefined where there are none to be had. */
  of(sandboxUid: string): VolumeSnapshot[] | undefined {
    return this.#available ? this.store.byIndex(BY_SANDBOX, sandboxUid) : undefined;
  }

  find(namespace: string, name: string): VolumeSnapshot | undefined {
    return this.#available ? this.store.getByKey(keyOf({ metadata: { namespace, name } })) : undefined;
  }
}
