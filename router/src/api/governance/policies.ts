// SPDX-License-Identifier: Apache-2.0
import type { Policies, PolicyObject } from '@agenttier/crds/explain/explanation';
import type { ClusterGovernancePolicy } from '@agenttier/crds/generated/types';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
} from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isKubeError, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { refusals } from '../errors.ts';

/** Both scopes have the same shape. */
export type Policy = ClusterGovernancePolicy & KubeObject;

export type StoredPolicy = KubeObject & PolicyObject;

export interface StoredPolicies extends Policies {
  readonly cluster?: StoredPolicy | undefined;
  readonly local?: StoredPolicy | undefined;
}

/**
 * The policies that bound a namespace, asked of the API server each time: what is used of them changes with every
 * admission, and the caches leave it out. Rejects with HttpError when this process may not read them.
 */
export async function readPolicies(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  signal: AbortSignal,
): Promise<StoredPolicies> {
  const [cluster, local] = await Promise.all([
    orNone(client.get<StoredPolicy>(CLUSTER_GOVERNANCE_POLICIES, { name: POLICY_NAME }, { signal })),
    orNone(client.get<StoredPolicy>(GOVERNANCE_POLICIES, { namespace, name: POLICY_NAME }, { signal })),
  ]);
  return { ...(cluster && { cluster }), ...(local && { local }) };
}

/** All that there are. */
export async function readAllPolicies(
  client: Pick<KubeClient, 'get' | 'list'>,
  signal: AbortSignal,
): Promise<{ readonly cluster: Policy | undefined; readonly locals: readonly Policy[] }> {
  const [cluster, locals] = await Promise.all([
    orNone(client.get<Policy>(CLUSTER_GOVERNANCE_POLICIES, { name: POLICY_NAME }, { signal })),
    orNone(client.list<Policy>(GOVERNANCE_POLICIES, {}, { signal })),
  ]);
  // Another name than the one that counts cannot be created; whatever stood there before that rule bounds nothing.
  const named = (locals?.items ?? []).filter(({ metadata }) => metadata.name === POLICY_NAME);
  return { cluster, locals: named };
}

async function orNone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    // Not the caller's fault: it is our own account that lacks the right.
    if (isKubeError(error) && error.status === 403) throw refusals.unavailable('the policies cannot be read');
    throw error;
  }
}
