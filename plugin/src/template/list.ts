// SPDX-License-Identifier: Apache-2.0
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOX_TEMPLATES } from '@agenttier/crds/meta/resources';
import { callOptions, withCluster } from '../context/cluster.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { parseOutput, renderListing } from '../printers/output.ts';
import { type AnyTemplate, templateColumns } from '../printers/templateColumns.ts';

export interface ListTemplatesOptions extends GlobalFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly output?: string;
  readonly headers: boolean;
}

export async function listTemplates(host: Host, options: ListTemplatesOptions): Promise<void> {
  const output = parseOutput(options.output);
  await withCluster(host, options, async (cluster) => {
    const selected = options.selector === undefined ? {} : { labelSelector: options.selector };
    const own = options.allNamespaces ? selected : { ...selected, namespace: cluster.namespace };
    const [shared, namespaced] = await Promise.all([
      cluster.client.list<AnyTemplate>(CLUSTER_SANDBOX_TEMPLATES, selected, callOptions(host)),
      cluster.client.list<AnyTemplate>(SANDBOX_TEMPLATES, own, callOptions(host)),
    ]);
    const objects = [...shared.items, ...namespaced.items];
    if (objects.length === 0 && output.kind === 'table')
      return write(host.streams.err, 'No templates found\n');
    const columns = templateColumns(host.clock.now());
    return write(
      host.streams.out,
      await renderListing(output, { objects, single: false, columns, noHeaders: !options.headers }),
    );
  });
}
