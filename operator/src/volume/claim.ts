// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { compareQuantity } from '@agenttier/crds/meta/quantity';
import type { PersistentVolumeClaim } from '../core.ts';
import { hasOwnedMeta } from '../sandbox/ownership.ts';
import type { Identity } from '../sandbox/ownership.ts';
import { dataMeta } from './retain.ts';

/** Used only when neither the merge nor its defaults name a size, that is when admission was by-passed. */
const FALLBACK_SIZE = '10Gi';

/** The snapshot that a new volume starts from. */
export interface Origin {
  readonly snapshot: string;
  /** Size of what was cut: a volume that is made from it is no smaller. */
  readonly size?: string | undefined;
}

/** The workspace volume. `name` comes from `status.pvcName` once that is set: it never changes for a sandbox's life. */
export function buildClaim(
  owner: Identity,
  name: string,
  spec: EffectiveSpec,
  origin?: Origin,
): PersistentVolumeClaim {
  const { storageClass, shared } = spec.storage ?? {};
  return {
    metadata: dataMeta(owner, name, spec),
    spec: {
      accessModes: [shared === true ? 'ReadWriteMany' : 'ReadWriteOnce'],
      resources: { requests: { storage: larger(String(spec.storage?.size ?? FALLBACK_SIZE), origin?.size) } },
      // Absent means the cluster's default class; an empty text would mean "no class at all".
      ...(storageClass ? { storageClassName: storageClass } : {}),
      ...(origin === undefined ? {} : { dataSource: dataSource(origin.snapshot) }),
    },
  };
}

const dataSource = (name: string) => ({
  apiGroup: 'snapshot.storage.k8s.io',
  kind: 'VolumeSnapshot',
  name,
});

const larger = (size: string, other: string | undefined): string =>
  other !== undefined && (compareQuantity(other, size) ?? 0) > 0 ? other : size;

/** Whether the claim asks for less than the sandbox does now. A claim can grow in place; it can never shrink. */
export function needsGrowth(live: PersistentVolumeClaim, desired: PersistentVolumeClaim): boolean {
  return (compareQuantity(storageRequest(desired), storageRequest(live)) ?? 0) > 0;
}

export const claimMatches = (live: PersistentVolumeClaim, desired: PersistentVolumeClaim): boolean =>
  hasOwnedMeta(live, desired) && !needsGrowth(live, desired);

/**
 * What to apply onto a live claim: all of the claim's spec is immutable except a growing request, so everything else
 * repeats what is there and a request never goes down.
 */
export function claimRepair(
  live: PersistentVolumeClaim,
  desired: PersistentVolumeClaim,
): PersistentVolumeClaim {
  const { accessModes, resources, storageClassName } = live.spec;
  const requests = needsGrowth(live, desired) ? desired.spec.resources.requests : resources.requests;
  return {
    metadata: desired.metadata,
    spec: {
      accessModes,
      resources: { requests },
      ...(storageClassName === undefined ? {} : { storageClassName }),
    },
  };
}

export const storageRequest = (claim: PersistentVolumeClaim): string =>
  String(claim.spec.resources.requests['storage'] ?? '0');
