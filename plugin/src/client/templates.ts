// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate, SandboxTemplate } from '@agenttier/crds/generated/types';
import type { FoundTemplate } from '@agenttier/crds/explain/judge';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOX_TEMPLATES } from '@agenttier/crds/meta/resources';
import type { TemplateKey } from '@agenttier/crds/template/compose';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { type Cluster, callOptions } from '../context/cluster.ts';
import type { Host } from '../context/host.ts';

/** The template of a key, undefined when there is none. Rejects with KubeError. */
export async function readTemplate(
  host: Host,
  cluster: Cluster,
  key: TemplateKey,
): Promise<FoundTemplate | undefined> {
  const namespaced = key.kind === 'SandboxTemplate';
  const resource = namespaced ? SANDBOX_TEMPLATES : CLUSTER_SANDBOX_TEMPLATES;
  const namespace = namespaced ? (key.namespace ?? cluster.namespace) : undefined;
  try {
    const found = await cluster.client.get<SandboxTemplate | ClusterSandboxTemplate>(
      resource,
      { namespace, name: key.name },
      callOptions(host),
    );
    return { metadata: found.metadata, spec: found.spec ?? {} };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
