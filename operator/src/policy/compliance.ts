// SPDX-License-Identifier: Apache-2.0
import { effectivePolicy } from '@agenttier/crds/governance/effective';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import { POLICY_NAME } from '@agenttier/crds/meta/resources';
import type { Caches } from '../caches.ts';

type Policies = Pick<Caches, 'policies' | 'clusterPolicies'>;

/** The policy in force in a namespace; undefined when a stored limit cannot be read, which admission answers for. */
export function policyIn(
  { policies, clusterPolicies }: Policies,
  namespace: string,
): EffectivePolicy | undefined {
  try {
    const cluster = clusterPolicies.get(undefined, POLICY_NAME);
    return effectivePolicy(cluster?.spec, policies.get(namespace, POLICY_NAME)?.spec);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
