// SPDX-License-Identifier: Apache-2.0
import type { Policies, PolicyObject } from '@agenttier/crds/explain/explanation';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
} from '@agenttier/crds/meta/resources';
import { isKubeError, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { type Cluster, callOptions } from '../context/cluster.ts';
import type { Host } from '../context/host.ts';

/** The policies that bound the namespace; one that does not exist is absent. Rejects with KubeError. */
export async function readPolicies(host: Host, cluster: Cluster, namespace: string): Promise<Policies> {
  const read = async (
    resource: Resource,
    place: { readonly namespace?: string },
  ): Promise<PolicyObject | undefined> => {
    try {
      const key = { ...place, name: POLICY_NAME };
      return await cluster.client.get<KubeObject & PolicyObject>(resource, key, callOptions(host));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const [shared, local] = await Promise.all([
    read(CLUSTER_GOVERNANCE_POLICIES, {}),
    read(GOVERNANCE_POLICIES, { namespace }),
  ]);
  return { ...(shared && { cluster: shared }), ...(local && { local }) };
}

/** The same, undefined when the person may not read them: what else there is to say is said without. */
export async function policiesIfReadable(
  host: Host,
  cluster: Cluster,
  namespace: string,
): Promise<Policies | undefined> {
  try {
    return await readPolicies(host, cluster, namespace);
  } catch (error) {
    if (isKubeError(error) && error.status === 403) return undefined;
    throw error;
  }
}
