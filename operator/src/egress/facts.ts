// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { BY_SERVICE } from '../caches.ts';
import type { Caches } from '../caches.ts';
import { policyIn } from '../policy/compliance.ts';
import { destinationOf, refKey, refsOf } from './services.ts';
import type { Destination } from './services.ts';

/** What the rest of the cluster contributes to the network of one sandbox, by the time of a decision. */
export interface NetworkFacts {
  /** What each Service reference opens, by `refKey`. */
  readonly destinations: Readonly<Record<string, Destination>>;
}

export const NO_FACTS: NetworkFacts = { destinations: {} };

/** Out of the caches: no call, no waiting. */
export function networkFacts(
  caches: Caches,
  namespace: string,
  spec: EffectiveSpec | undefined,
): NetworkFacts {
  const refs = refsOf(spec?.network);
  if (refs.length === 0) return NO_FACTS;
  const policy = policyIn(caches, namespace);
  const lookup = {
    service: (of: string, name: string) => caches.services.get(of, name),
    slices: (of: string, name: string) => caches.endpointSlices.byIndex(BY_SERVICE, `${of}/${name}`),
    // A policy that cannot be read permits nothing.
    publicAllowed: policy !== undefined && policy.allowInternet === undefined,
  };
  const entries = refs.map((ref) => [refKey(ref), destinationOf(ref, namespace, lookup)] as const);
  return { destinations: Object.fromEntries(entries) };
}

/** Sentences about references that open nothing. */
export function problemsIn({ destinations }: NetworkFacts): string[] {
  return Object.values(destinations).flatMap((one) => (one.ok ? [] : one.problem));
}
