// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import { compareQuantity, parseQuantity } from '../meta/quantity.ts';

/** Origin of what the existing volume decides, whatever templates say by now. */
export const ORIGIN_VOLUME = 'volume';

/** What a volume was made with; nothing of it can change but the size, and that only grows. */
export type BoundVolume = NonNullable<EffectiveSpec['storage']>;

/** Fields that can have the volume as their origin. */
export const VOLUME_FIELDS = [
  'storage.size',
  'storage.storageClass',
  'storage.mountPath',
  'storage.shared',
] as const;

/** An effective spec on its way, with where its fields come from. */
export interface Merged {
  readonly spec: EffectiveSpec;
  readonly origins: Record<string, string>;
  readonly warnings: readonly string[];
}

const MEMBERS = ['size', 'storageClass', 'mountPath', 'shared'] as const;

/**
 * Lets the existing volume have the last word where a template changed: a template that was made smaller, or moved to
 * another storage class, must not keep its sandboxes from starting. What the sandbox itself asks for is left for
 * admission to refuse, unless the volume `wins` over that, too.
 */
export function keepVolume(
  spec: EffectiveSpec,
  origins: Readonly<Record<string, string>>,
  volume: BoundVolume | undefined,
  wins = false,
): Merged {
  let merged: Merged = { spec, origins: { ...origins }, warnings: [] };
  for (const member of MEMBERS) {
    const path = `storage.${member}`;
    const bound = boundOf(volume, member);
    const asked = spec.storage?.[member];
    const decided = bound === undefined || bound === '' || (origins[path] === 'Sandbox' && !wins);
    if (decided || !isHeldBack(member, asked, bound)) continue;
    const storage = { ...merged.spec.storage, [member]: bound };
    const warning = `spec.storage.${member} is ${bound}, as the volume is made; asked for is ${asked ?? 'nothing'}`;
    merged = {
      spec: { ...merged.spec, storage },
      origins: { ...merged.origins, [path]: ORIGIN_VOLUME },
      warnings: [...merged.warnings, warning.slice(0, 120)],
    };
  }
  return merged;
}

type Value = string | number | boolean;

/** A volume that was not made to be shared was made not to be. */
function boundOf(volume: BoundVolume | undefined, member: (typeof MEMBERS)[number]): Value | undefined {
  return member === 'shared' && volume !== undefined ? (volume.shared ?? false) : volume?.[member];
}

function isHeldBack(member: string, asked: Value | undefined, bound: Value): boolean {
  if (typeof bound === 'boolean' || typeof asked === 'boolean') return (asked ?? false) !== bound;
  if (member !== 'size') return asked !== bound;
  if (parseQuantity(bound) === undefined) return false;
  if (asked === undefined) return true;
  return parseQuantity(asked) !== undefined && compareQuantity(asked, bound) < 0;
}
