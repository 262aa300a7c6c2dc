// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import type { EffectivePolicy } from '../governance/effective.ts';
import type { Layer } from './layer.ts';

/**
 * The defaults for this merge. An installation may open the internet to sandboxes that say nothing of their network; for
 * one that says anything, or under a policy that closes the internet, a default must not open what nobody asked for.
 */
export function networkDefault(
  defaults: EffectiveSpec,
  layer: Layer,
  policy: EffectivePolicy | undefined,
): EffectiveSpec {
  if (defaults.network?.allowInternet !== true) return defaults;
  const spoken = [...layer].some(([path, { entries }]) => path.startsWith('network.') && entries.length > 0);
  if (!spoken && policy?.allowInternet === undefined) return defaults;
  return { ...defaults, network: { ...defaults.network, allowInternet: false } };
}
