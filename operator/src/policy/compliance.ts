// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { effectivePolicy } from '@agenttier/crds/governance/effective';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import { evaluate } from '@agenttier/crds/governance/evaluate';
import { POLICY_NAME } from '@agenttier/crds/meta/resources';
import type { Violation } from '@agenttier/crds/meta/violation';
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

/**
 * What today's policy would refuse in a sandbox that was admitted earlier. It goes on running: a policy that was
 * tightened says no at the next resume.
 */
export function violationsNow(sandbox: Sandbox, policy: EffectivePolicy | undefined): readonly Violation[] {
  const { spec = {}, metadata } = sandbox;
  const { resolved } = spec;
  if (resolved?.spec === undefined || policy === undefined) return [];
  return evaluate({ namespace: metadata.namespace ?? '', spec, resolved, policy }).violations;
}
