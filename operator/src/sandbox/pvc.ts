// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { compareQuantity } from '@agenttier/crds/meta/quantity';
import type { PersistentVolumeClaim } from '../core.ts';
import { hasOwnedMeta, ownedMeta } from './ownership.ts';
import type { Identity } from './ownership.ts';

/** Used only when neither the merge nor its defaults name a size, that is when admission was by-passed. */
const FALLBACK_SIZE = '10Gi';

/** The workspace volume. `name` comes from `status.pvcName` once that is set: it never changes for a sandbox's life. */
export function buildPvc(owner: Identity, name: string, spec: EffectiveSpec): PersistentVolumeClaim {
  const storageClass = spec.storage?.storageClass;
  return {
    metadata: ownedMeta(owner, name),
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: String(spec.storage?.size ?? FALLBACK_SIZE) } },
      // Absent means the cluster's default class; an empty text would mean "no class at all".
      ...(storageClass ? { storageClassName: storageClass } : {}),
    },
  };
}

/** Whether the claim asks for less than the sandbox does now. A claim can grow in place; it can never shrink. */
export function needsGrowth(live: PersistentVolumeClaim, desired: PersistentVolumeClaim): boolean {
  return (compareQuantity(storageRequest(desired), storageRequest(live)) ?? 0) > 0;
}

export const pvcMatches = (live: PersistentVolumeClaim, desired: PersistentVolumeClaim): boolean =>
  hasOwnedMeta(live, desired) && !needsGrowth(live, desired);

/**
 * What to apply onto a live claim: all of the claim's spec is immutable except a growing request, so everything else
 * repeats what is there and a request never goes down.
 */
export function pvcRepair(
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

const storageRequest = (claim: PersistentVolumeClaim): string =>
  String(claim.spec.resources.requests['storage'] ?? '0');
