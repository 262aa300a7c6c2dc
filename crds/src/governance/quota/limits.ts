// SPDX-License-Identifier: Apache-2.0
import type { PolicySpec } from '../../generated/types.ts';
import { parseQuantity } from '../../meta/quantity.ts';

/** Caps on what the sandboxes of one scope come to together; what is absent is not capped. */
export interface QuotaLimits {
  readonly sandboxes?: number;
  readonly perUser?: number;
  readonly agentSandboxes?: number;
  readonly cpu?: string;
  readonly memory?: string;
  readonly storage?: string;
}

export type QuotaDimension = keyof QuotaLimits;

/** The field of a policy that caps a dimension, as `delegated` names it. */
const FIELDS: Readonly<
  Record<QuotaDimension, 'maxSandboxesTotal' | 'maxSandboxesPerUser' | 'maxAgentSandboxes' | 'total'>
> = {
  sandboxes: 'maxSandboxesTotal',
  perUser: 'maxSandboxesPerUser',
  agentSandboxes: 'maxAgentSandboxes',
  cpu: 'total',
  memory: 'total',
  storage: 'total',
};

/** The caps of one policy. Zero and absent cap nothing. */
export function quotaLimits(spec: PolicySpec | undefined): QuotaLimits {
  const { maxSandboxesTotal, maxSandboxesPerUser, maxAgentSandboxes, total = {} } = spec ?? {};
  return {
    ...(maxSandboxesTotal ? { sandboxes: maxSandboxesTotal } : {}),
    ...(maxSandboxesPerUser ? { perUser: maxSandboxesPerUser } : {}),
    ...(maxAgentSandboxes ? { agentSandboxes: maxAgentSandboxes } : {}),
    ...amount('cpu', total.cpu),
    ...amount('memory', total.memory),
    ...amount('storage', total.storage),
  };
}

function amount(dimension: QuotaDimension, value: string | number | undefined): QuotaLimits {
  if (value === undefined || value === '' || parseQuantity(value) === 0n) return {};
  return { [dimension]: String(value) };
}

/**
 * The cluster's caps as they bind one namespace: without those that the cluster delegates and the namespace sets. Such a
 * namespace's sandboxes still count in the cluster's usage, they are only not refused for it.
 */
export function clusterLimits(
  cluster: PolicySpec | undefined,
  namespace: PolicySpec | undefined,
): QuotaLimits {
  const own = quotaLimits(namespace);
  const bound = Object.entries(quotaLimits(cluster)).filter(([key]) => {
    const dimension = key as QuotaDimension;
    return own[dimension] === undefined || cluster?.delegated?.includes(FIELDS[dimension]) !== true;
  });
  return Object.fromEntries(bound);
}

export function isLimited(limits: QuotaLimits): boolean {
  return Object.keys(limits).length > 0;
}
