// SPDX-License-Identifier: Apache-2.0
import { setImmediate } from 'node:timers/promises';
import type { PolicySpec } from '@agenttier/crds/generated/types';
import { effectivePolicy } from '@agenttier/crds/governance/effective';
import type { EffectivePolicy, PolicyScope } from '@agenttier/crds/governance/effective';
import { violationsNow } from '@agenttier/crds/governance/violators';
import type { Violation } from '@agenttier/crds/meta/violation';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { namespaceAllowed } from '../../auth/authorize.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { Call } from '../route.ts';
import { readAllPolicies, readPolicies } from './policies.ts';

/** A sandbox that a policy would refuse at its next resume. */
export interface Violator {
  readonly namespace: string;
  readonly name: string;
  readonly violations: readonly Violation[];
}

export interface Violators {
  readonly wouldViolate: number;
  /** The first of them. */
  readonly violators: readonly Violator[];
}

export interface ViolatorsSource {
  readonly client: Pick<KubeClient, 'get' | 'list'>;
  readonly stores: Pick<Stores, 'sandboxes'>;
}

/** Sandboxes that are named; the number is of all. */
export const MOST_NAMED = 50;
/** Sandboxes judged before other requests get their turn. */
const SLICE = 200;

/** Which sandboxes a text of a policy would refuse that is not stored yet, as the operator counts them when it is. */
export async function violatorsOf(
  { client, stores }: ViolatorsSource,
  { namespace, spec }: { readonly namespace: string | undefined; readonly spec: PolicySpec },
  { principal, signal }: Pick<Call, 'principal' | 'signal'>,
): Promise<Violators> {
  const scope: PolicyScope = namespace === undefined ? 'cluster' : 'namespace';
  const inForce = await policiesWith(client, { namespace, spec }, signal);
  const found: Violator[] = [];
  for (const [i, sandbox] of stores.sandboxes.list().entries()) {
    if (i % SLICE === SLICE - 1) await setImmediate();
    const { namespace: home = '', name = '' } = sandbox.metadata;
    if ((namespace ?? home) !== home || !namespaceAllowed(principal, home)) continue;
    const violations = violationsNow(sandbox, inForce(home)).filter((one) => (one.scope ?? scope) === scope);
    if (violations.length > 0) found.push({ namespace: home, name, violations });
  }
  return { wouldViolate: found.length, violators: found.slice(0, MOST_NAMED) };
}

/** What would be in force in each namespace with the text in the place of the stored one. */
async function policiesWith(
  client: ViolatorsSource['client'],
  { namespace, spec }: { readonly namespace: string | undefined; readonly spec: PolicySpec },
  signal: AbortSignal,
): Promise<(home: string) => EffectivePolicy | undefined> {
  if (namespace !== undefined) {
    const { cluster } = await readPolicies(client, namespace, signal);
    const policy = combined(cluster?.spec, spec);
    return () => policy;
  }
  const { locals } = await readAllPolicies(client, signal);
  const specs = new Map(locals.map((local) => [local.metadata.namespace ?? '', local.spec]));
  const known = new Map<string, EffectivePolicy | undefined>();
  return (home) => {
    if (!known.has(home)) known.set(home, combined(spec, specs.get(home)));
    return known.get(home);
  };
}

/** Undefined where a stored limit cannot be read: then nothing is admitted at all, and that has been said elsewhere. */
function combined(
  cluster: PolicySpec | undefined,
  local: PolicySpec | undefined,
): EffectivePolicy | undefined {
  try {
    return effectivePolicy(cluster, local);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
