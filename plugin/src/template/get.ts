// SPDX-License-Identifier: Apache-2.0
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOX_TEMPLATES } from '@agenttier/crds/meta/resources';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { type Cluster, callOptions, withCluster } from '../context/cluster.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { templateRef } from '../create/manifest.ts';
import { parseOutput, renderListing } from '../printers/output.ts';
import { type AnyTemplate, templateColumns } from '../printers/templateColumns.ts';

export interface GetTemplateOptions extends GlobalFlags {
  readonly names: readonly string[];
  readonly output?: string;
  readonly headers: boolean;
}

export async function getTemplates(host: Host, options: GetTemplateOptions): Promise<void> {
  const output = parseOutput(options.output);
  const refs = options.names.map(templateRef);
  await withCluster(host, options, async (cluster) => {
    const answers = await Promise.allSettled(refs.map((ref) => findTemplate(host, cluster, ref)));
    const objects = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failures = answers.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []));
    if (objects.length > 0) {
      const listing = {
        objects,
        single: refs.length === 1,
        columns: templateColumns(host.clock.now()),
        noHeaders: !options.headers,
      };
      await write(host.streams.out, await renderListing(output, listing));
    }
    if (failures.length > 0) throw new AggregateError(failures);
  });
}

/** The order in which admission looks: a template of the namespace hides the cluster's of the same name. */
async function findTemplate(
  host: Host,
  cluster: Cluster,
  ref: ReturnType<typeof templateRef>,
): Promise<AnyTemplate> {
  const { client, namespace } = cluster;
  const { name, kind } = ref;
  const fromCluster = (): Promise<AnyTemplate> =>
    client.get(CLUSTER_SANDBOX_TEMPLATES, { name }, callOptions(host));
  if (kind === 'ClusterSandboxTemplate') return fromCluster();
  try {
    return await client.get<AnyTemplate>(SANDBOX_TEMPLATES, { namespace, name }, callOptions(host));
  } catch (error) {
    if (kind === undefined && isNotFound(error)) return fromCluster();
    throw error;
  }
}
