// SPDX-License-Identifier: Apache-2.0
import type { PersistentVolumeClaim } from '../core.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { buildClaim, needsGrowth } from './claim.ts';

export interface Growth {
  /** The sandbox asks for more than its claim does. */
  readonly wanted: boolean;
  /** Nothing is known that speaks against it; the API server has the last word. */
  readonly possible: boolean;
  /** What speaks against it. */
  readonly message: string;
}

/** Whether the volume is to grow, and can. A class that cannot grow volumes is not asked to, over and over. */
export function growthOf(state: SandboxState, live: PersistentVolumeClaim): Growth {
  const { resolution, owner, storageClasses } = state;
  if (!resolution.ok) return { wanted: false, possible: true, message: '' };
  const wanted = needsGrowth(live, buildClaim(owner, live.metadata.name ?? '', resolution.spec));
  const name = live.spec.storageClassName ?? '';
  const known = storageClasses?.get(name);
  if (known === undefined || known.allowVolumeExpansion === true)
    return { wanted, possible: true, message: '' };
  const message = `StorageClass ${name} cannot grow volumes (allowVolumeExpansion is not set)`;
  return { wanted, possible: false, message };
}
