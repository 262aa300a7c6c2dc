// SPDX-License-Identifier: Apache-2.0
import { LABEL_SANDBOX_UID } from '@agenttier/crds/meta/labels';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import type { VolumeSnapshot } from '../core.ts';
import { KindCache } from '../kinds/kindCache.ts';

const BY_SANDBOX = 'sandbox';

/** The VolumeSnapshots of a cluster that has such things, and the knowledge whether it does. */
export class SnapshotCache extends KindCache<VolumeSnapshot> {
  constructor() {
    super(VOLUME_SNAPSHOTS, { [BY_SANDBOX]: ({ metadata }) => [metadata.labels?.[LABEL_SANDBOX_UID] ?? ''] });
  }

  /** Snapshots that carry the label of a sandbox; undefined where there are none to be had. */
  of(sandboxUid: string): VolumeSnapshot[] | undefined {
    return this.available ? this.store.byIndex(BY_SANDBOX, sandboxUid) : undefined;
  }
}
