// SPDX-License-Identifier: Apache-2.0
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { type Cluster, callOptions } from '../context/cluster.ts';
import type { Host } from '../context/host.ts';

/** Who the API server takes the caller for. */
export interface KubernetesIdentity {
  readonly username: string;
  readonly groups: readonly string[];
}

/** SelfSubjectReview is v1 from Kubernetes 1.28; 1.27 has it as v1beta1. */
export async function kubernetesIdentity(host: Host, cluster: Cluster): Promise<KubernetesIdentity> {
  const ask = async (version: string): Promise<KubernetesIdentity> => {
    const apiVersion = `authentication.k8s.io/${version}`;
    const body = { apiVersion, kind: 'SelfSubjectReview' };
    const request = { method: 'POST', path: `/apis/${apiVersion}/selfsubjectreviews`, body };
    const answer = await cluster.client.raw(request, callOptions(host));
    const { userInfo } =
      (answer.body as { status?: { userInfo?: Partial<KubernetesIdentity> } }).status ?? {};
    return { username: userInfo?.username ?? '', groups: userInfo?.groups ?? [] };
  };
  try {
    return await ask('v1');
  } catch (error) {
    if (isNotFound(error)) return ask('v1beta1');
    throw error;
  }
}
