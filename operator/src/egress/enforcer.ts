// SPDX-License-Identifier: Apache-2.0
import { listsDomains } from '@agenttier/crds/egress/enforcement';
import type { Enforcement } from '@agenttier/crds/egress/enforcement';
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { GATEWAY_SERVICE } from '@agenttier/crds/egress/gateway';
import type { Pod, Service } from '../core.ts';
import type { KindState } from '../kinds/kindCache.ts';
import { hasProxy } from './proxyMark.ts';

/**
 * What holds a sandbox to the names that it lists.
 * - `gateway`: our proxy, at that address.
 * - `cilium`: the network itself, by a CiliumNetworkPolicy.
 * - `handover`: the gateway is to, and a CiliumNetworkPolicy still does. Both at once would open more than either.
 * - `unknown`: nobody knows yet whether there is a CiliumNetworkPolicy.
 * - `none`: neither is there. Nothing is opened.
 */
export type Enforcer =
  | { readonly by: 'gateway'; readonly address: string }
  | { readonly by: 'cilium' | 'handover' | 'unknown' }
  | {
      readonly by: 'none';
      readonly reason: 'GatewayMissing' | 'DomainsNotEnforced';
      readonly message: string;
    };

export interface EnforcerInput {
  readonly spec: Pick<EffectiveSpec, 'network'>;
  readonly enforcement: Enforcement;
  /** The Service of the gateway. */
  readonly service: Service | undefined;
  /** Whether the cluster has CiliumNetworkPolicies. */
  readonly cilium: KindState;
  /** There is one of this sandbox, maybe on its way out. */
  readonly bound: boolean;
  readonly pod: Pod | undefined;
}

/**
 * Absent for a sandbox that lists no names. Programs learn of the proxy at their start: a pod that was started with it
 * keeps it while it can, also when Cilium comes. Whatever is forced counts at once, for pods that run as well.
 */
export function enforcerOf(input: EnforcerInput): Enforcer | undefined {
  const { spec, enforcement, cilium, bound, pod } = input;
  if (!listsDomains(spec)) return undefined;
  if (cilium === 'pending') return { by: 'unknown' };
  const address = enforcement === 'cilium' ? undefined : addressOf(input.service);
  const able = enforcement !== 'gateway' && cilium === 'ready';
  if (address !== undefined && (!able || hasProxy(pod))) {
    return bound ? { by: 'handover' } : { by: 'gateway', address };
  }
  return able ? { by: 'cilium' } : { by: 'none', ...lackOf(enforcement) };
}

/** The gateway's address as it stands in a pod: an IP, so that no name has to be resolved to get there. */
function addressOf(service: Service | undefined): string | undefined {
  const address = service?.spec?.clusterIP ?? '';
  return address === '' || address === 'None' ? undefined : address;
}

const NEEDS = 'spec.network.allowedDomains needs';
const NO_GATEWAY = `the egress gateway: there is no Service ${GATEWAY_SERVICE} (chart value gateway.enabled)`;
const NO_CILIUM = 'the cluster has no CiliumNetworkPolicy';

function lackOf(enforcement: Enforcement): Pick<Extract<Enforcer, { by: 'none' }>, 'reason' | 'message'> {
  if (enforcement === 'cilium') {
    const message = `${NEEDS} Cilium (chart value egress.enforcement), and ${NO_CILIUM}`;
    return { reason: 'DomainsNotEnforced', message };
  }
  const also = enforcement === 'auto' ? `, and ${NO_CILIUM}` : '';
  return { reason: 'GatewayMissing', message: `${NEEDS} ${NO_GATEWAY}${also}` };
}

/** Says who enforces, as the end of a sentence about the policies. */
export function enforcedBy(enforcer: Enforcer | undefined, pod: Pod | undefined): string {
  if (enforcer?.by !== 'gateway' && enforcer?.by !== 'cilium') return '';
  const gateway = enforcer.by === 'gateway';
  const who = gateway ? 'the egress gateway' : 'a CiliumNetworkPolicy';
  const stale = pod !== undefined && hasProxy(pod) !== gateway;
  const knows = gateway ? 'do not know the gateway' : 'still ask the gateway';
  return `; domains are enforced by ${who}${stale ? `, and its programs ${knows} until a restart` : ''}`;
}
