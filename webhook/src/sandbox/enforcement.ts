// SPDX-License-Identifier: Apache-2.0
import { listsDomains } from '@agenttier/crds/egress/enforcement';
import type { Enforcement } from '@agenttier/crds/egress/enforcement';
import { GATEWAY_SERVICE } from '@agenttier/crds/egress/gateway';
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import {
  CILIUM_NETWORK_POLICIES,
  crdName,
  CUSTOM_RESOURCE_DEFINITIONS,
  SERVICES,
} from '@agenttier/machinery/kube/resource';
import type { ObjectKey, Resource } from '@agenttier/machinery/kube/resource';

/** Says whether anything is there that holds a sandbox to the names that it lists. */
export interface Enforcers {
  /** Warnings. Never rejects: a question that stays open is nothing to warn of. */
  warn(spec: EffectiveSpec, signal: AbortSignal): Promise<string[]>;
}

interface EnforcersOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly enforcement: Enforcement;
  /** Namespace of the installation. */
  readonly namespace: string;
  readonly now?: () => number;
}

/** How long one that was seen counts as there. One that is missing is asked for each time: it may be just coming. */
const SEEN_MS = 10_000;

/** Not refused: it may come later, and until then such a sandbox does not start. */
export function createEnforcers({ client, enforcement, namespace, now }: EnforcersOptions): Enforcers {
  const clock = now ?? (() => performance.now());
  const seen = new Map<Resource, number>();
  const exists = async (resource: Resource, key: ObjectKey, signal: AbortSignal): Promise<boolean> => {
    if (clock() - (seen.get(resource) ?? -SEEN_MS) < SEEN_MS) return true;
    try {
      await client.get(resource, key, { signal });
    } catch (error) {
      return !isNotFound(error);
    }
    seen.set(resource, clock());
    return true;
  };
  const crd = { name: crdName(CILIUM_NETWORK_POLICIES) };
  const asked: [Exclude<Enforcement, 'auto'>, Resource, ObjectKey][] = [
    ['gateway', SERVICES, { namespace, name: GATEWAY_SERVICE }],
    ['cilium', CUSTOM_RESOURCE_DEFINITIONS, crd],
  ];
  return {
    async warn(spec, signal) {
      if (!listsDomains(spec)) return [];
      const usable = asked.filter(([what]) => enforcement === 'auto' || enforcement === what);
      for (const [, resource, key] of usable) if (await exists(resource, key, signal)) return [];
      return [`spec.network.allowedDomains: the sandbox does not start, because ${LACKS[enforcement]}`];
    },
  };
}

const NO_GATEWAY = 'the egress gateway is not installed (chart value gateway.enabled)';
const NO_CILIUM = 'the cluster has no CiliumNetworkPolicy';

const LACKS: Readonly<Record<Enforcement, string>> = {
  auto: `${NO_GATEWAY}, and ${NO_CILIUM}`,
  gateway: NO_GATEWAY,
  cilium: `${NO_CILIUM}, and chart value egress.enforcement asks for it`,
};
