// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';

/**
 * Writes that a claim makes and nothing else of a warm pool does: a refill only creates, and the kubelet reports on pods
 * through their status.
 */
const OF_A_CLAIM: readonly (readonly [
  verb: string,
  resource: string,
  subresource: string,
  group?: string,
])[] = [
  ['PATCH', 'pods', ''],
  ['PATCH', 'sandboxes', 'status'],
  ['APPLY', 'persistentvolumeclaims', ''],
  ['APPLY', 'secrets', ''],
  ['APPLY', 'networkpolicies', ''],
  ['APPLY', 'serviceaccounts', ''],
  ['POST', 'serviceaccounts', ''],
  ['POST', 'events', '', 'events.k8s.io'],
];

/** Writes of those kinds that the API server has taken so far, by its own count. */
export async function claimWrites(client: KubeClient): Promise<number> {
  const { body } = await client.raw({ method: 'GET', path: '/metrics' });
  const lines = String(body)
    .split('\n')
    .filter((line) => line.startsWith('apiserver_request_total{'));
  return lines.filter(isOfClaim).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

function isOfClaim(line: string): boolean {
  const label = (name: string): string => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? '';
  return OF_A_CLAIM.some(
    ([verb, resource, subresource, group]) =>
      label('verb') === verb &&
      label('resource') === resource &&
      label('subresource') === subresource &&
      (group === undefined || label('group') === group),
  );
}
