// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';

/** Index of sandboxes that have no volume yet by what it is to be made from: `Kind/namespace/name`. */
export const BY_ORIGIN = 'origin';

export function originsOf({ metadata, spec, status }: Sandbox): string[] {
  const { namespace } = metadata;
  if (status?.pvcName) return [];
  return [
    ...(spec?.cloneFrom ? [`Sandbox/${namespace}/${spec.cloneFrom.sandbox}`] : []),
    ...(spec?.cloneFromSnapshot ? [`VolumeSnapshot/${namespace}/${spec.cloneFromSnapshot}`] : []),
  ];
}
