// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';
import { LABEL_SOURCE_SANDBOX } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { BoundVolume } from '@agenttier/crds/template/volume';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';

export interface Snapshot extends KubeObject {
  readonly status?: { readonly restoreSize?: string };
}

/** What a sandbox that is to start with data starts from, as far as it is there. */
export interface Origin {
  /** Whether the cluster has VolumeSnapshots. */
  readonly possible: boolean;
  readonly sandbox?: (Sandbox & KubeObject) | undefined;
  readonly snapshot?: Snapshot | undefined;
  /** Sandbox whose volume the snapshot is of, where that still exists. */
  readonly owner?: Sandbox | undefined;
}

export interface Origins {
  /** Undefined for a sandbox that starts empty. Rejects with KubeError when the API server cannot be asked. */
  find(spec: SandboxSpec, namespace: string, signal: AbortSignal): Promise<Origin | undefined>;
}

/** Asked of the API server each time: such sandboxes are few, and whose data it is must not be a guess. */
export function createOrigins(client: Pick<KubeClient, 'get' | 'raw'>): Origins {
  const read = async <T extends KubeObject>(
    resource: Resource,
    key: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<T | undefined> => {
    try {
      return await client.get<T>(resource, key, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  return {
    async find({ cloneFrom, cloneFromSnapshot }, namespace, signal) {
      // Before the schema is checked either may be anything.
      if (typeof cloneFrom?.sandbox === 'string' && cloneFrom.sandbox !== '') {
        const key = { namespace, name: cloneFrom.sandbox };
        const [possible, sandbox] = await Promise.all([
          areServed(client, signal),
          read<Sandbox & KubeObject>(SANDBOXES, key, signal),
        ]);
        return { possible, sandbox };
      }
      if (typeof cloneFromSnapshot !== 'string' || cloneFromSnapshot === '') return undefined;
      const snapshot = await read<Snapshot>(VOLUME_SNAPSHOTS, { namespace, name: cloneFromSnapshot }, signal);
      if (snapshot === undefined) return { possible: await areServed(client, signal) };
      const name = snapshot.metadata.labels?.[LABEL_SOURCE_SANDBOX];
      const owner = name
        ? await read<Sandbox & KubeObject>(SANDBOXES, { namespace, name }, signal)
        : undefined;
      return { possible: true, snapshot, owner };
    },
  };
}

/** Discovery is open to every account of a cluster. */
async function areServed(client: Pick<KubeClient, 'raw'>, signal: AbortSignal): Promise<boolean> {
  const path = `/apis/${VOLUME_SNAPSHOTS.group}/${VOLUME_SNAPSHOTS.version}`;
  try {
    await client.raw({ method: 'GET', path }, { signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** What the new volume will be at least, so that policy and quota are held against what really comes about. */
export function boundBy(origin: Origin | undefined): BoundVolume | undefined {
  if (origin === undefined) return undefined;
  const storage = origin.sandbox?.spec?.resolved?.spec?.storage;
  if (storage !== undefined) return copyOf(storage);
  const size = origin.snapshot?.status?.restoreSize;
  return size === undefined ? undefined : { size };
}

/** Of a volume what a copy of it cannot do without: its size, and a class that knows the snapshot. */
export function copyOf({ size, storageClass }: BoundVolume): BoundVolume {
  return { ...(size === undefined ? {} : { size }), ...(storageClass ? { storageClass } : {}) };
}
