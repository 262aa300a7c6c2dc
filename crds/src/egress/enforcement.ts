// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';

export const ENFORCEMENTS = ['auto', 'gateway', 'cilium'] as const;

/** What may hold sandboxes to their `allowedDomains`; `auto` is Cilium where it is, and else the gateway. */
export type Enforcement = (typeof ENFORCEMENTS)[number];

/** Whether the sandbox is held to names that it lists. */
export const listsDomains = ({ network }: Pick<EffectiveSpec, 'network'>): boolean =>
  (network?.allowedDomains ?? []).length > 0 && network?.allowInternet !== true;
