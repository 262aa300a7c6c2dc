// SPDX-License-Identifier: Apache-2.0
import type { Policies, PolicyObject } from '@agenttier/crds/explain/explanation';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
} from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isKubeError, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { refusals } from '../errors.ts';

/**
 * The policies that bound a namespace, asked of the API server each time: their status changes with every admission, so
 * a watch of them would cost more than the few who ask. Rejects with HttpError when this process may not read them.
 */
export async function readPolicies(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  signal: AbortSignal,
): Promise<Policies> {
  const read = async (
    resource: Resource,
    place: { namespace?: string },
  ): Promise<PolicyObject | undefined> => {
    try {
      const key = { ...place, name: POLICY_NAME };
      return await client.get<KubeObject & PolicyObject>(resource, key, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      // Not the caller's fault: it is our own account that lacks the right.
      if (isKubeError(error) && error.status === 403)
        throw refusals.unavailable('the policies cannot be read');
      throw error;
    }
  };
  const [cluster, local] = await Promise.all([
    read(CLUSTER_GOVERNANCE_POLICIES, {}),
    read(GOVERNANCE_POLICIES, { namespace }),
  ]);
  return { ...(cluster && { cluster }), ...(local && { local }) };
}
