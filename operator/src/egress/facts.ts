// SPDX-License-Identifier: Apache-2.0
import { GATEWAY_SERVICE } from '@agenttier/crds/egress/gateway';
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { BY_SERVICE } from '../caches.ts';
import type { Caches } from '../caches.ts';
import type { CiliumNetworkPolicy, Pod } from '../core.ts';
import { policyIn } from '../policy/compliance.ts';
import type { Settings } from '../settings.ts';
import { enforcerOf } from './enforcer.ts';
import type { Enforcer } from './enforcer.ts';
import { destinationOf, refKey, refsOf } from './services.ts';
import type { Destination } from './services.ts';

/** What the rest of the cluster contributes to the network of one sandbox, by the time of a decision. */
export interface NetworkFacts {
  /** What each Service reference opens, by `refKey`. */
  readonly destinations: Readonly<Record<string, Destination>>;
  /** Absent when the sandbox lists no names. */
  readonly enforcer?: Enforcer | undefined;
}

export const NO_FACTS: NetworkFacts = { destinations: {} };

export interface FactsInput {
  readonly namespace: string;
  readonly settings: Pick<Settings, 'installNamespace' | 'egress'>;
  readonly objects: {
    readonly pod?: Pod | undefined;
    readonly ciliumPolicy?: CiliumNetworkPolicy | undefined;
  };
}

/** Out of the caches: no call, no waiting. */
export function networkFacts(
  caches: Caches,
  spec: EffectiveSpec | undefined,
  { namespace, settings, objects }: FactsInput,
): NetworkFacts {
  const refs = refsOf(spec?.network);
  const enforcer = enforcerOf({
    spec: spec ?? {},
    enforcement: settings.egress.enforcement,
    service: caches.services.get(settings.installNamespace, GATEWAY_SERVICE),
    cilium: caches.ciliumPolicies.state,
    bound: objects.ciliumPolicy !== undefined,
    pod: objects.pod,
  });
  if (refs.length === 0) return { ...NO_FACTS, enforcer };
  const policy = policyIn(caches, namespace);
  const lookup = {
    service: (of: string, name: string) => caches.services.get(of, name),
    slices: (of: string, name: string) => caches.endpointSlices.byIndex(BY_SERVICE, `${of}/${name}`),
    // A policy that cannot be read permits nothing.
    publicAllowed: policy !== undefined && policy.allowInternet === undefined,
  };
  const entries = refs.map((ref) => [refKey(ref), destinationOf(ref, namespace, lookup)] as const);
  return { destinations: Object.fromEntries(entries), enforcer };
}

/** Sentences about references that open nothing. */
export function problemsIn({ destinations }: NetworkFacts): string[] {
  return Object.values(destinations).flatMap((one) => (one.ok ? [] : one.problem));
}
