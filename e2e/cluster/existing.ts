// SPDX-License-Identifier: Apache-2.0
import { previewValues } from './install/previews.ts';
import type { Cluster, Start } from './cluster.ts';
import { programPath } from './install/binaries.ts';
import { Kubectl } from './install/kubectl.ts';

const PORT = 30080;

/** A value of the environment that this path cannot do without. */
function need(start: Start, name: string, why: string): string {
  const value = start.env[name];
  if (value === undefined || value === '') throw new Error(`CLUSTER=existing needs ${name}: ${why}`);
  return value;
}

/** Any cluster that KUBECONFIG names. Its nodes pull the images themselves, so they must lie in a registry. */
export async function useExisting(start: Start): Promise<Cluster> {
  const kubeconfig = need(start, 'KUBECONFIG', 'the file of the cluster to install on');
  const registry = need(
    start,
    'AGENTTIER_IMAGE_REGISTRY',
    'the registry path that holds the images router, webhook, ...',
  );
  const kubectl = new Kubectl([programPath(start.place, 'node'), 'kubectl'], kubeconfig);
  const address = await kubectl.run(
    'get',
    'nodes',
    '-o',
    'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}',
  );
  return {
    kubectl,
    kubeconfig,
    apiUrl: `http://${address}:${PORT}`,
    values: {
      'image.registry': registry,
      'image.tag': start.env['AGENTTIER_IMAGE_TAG'] ?? start.version,
      'router.service.type': 'NodePort',
      'router.service.nodePort': PORT,
      ...previewValues(PORT),
    },
    load: async () => [],
  };
}
