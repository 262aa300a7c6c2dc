// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { callOptions, withCluster } from '../context/cluster.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { parseOutput, renderListing } from '../printers/output.ts';
import { sandboxColumns, sandboxStatus } from '../printers/sandboxColumns.ts';

export interface ListOptions extends GlobalFlags {
  readonly allNamespaces?: boolean;
  readonly status?: string;
  readonly selector?: string;
  readonly output?: string;
  readonly headers: boolean;
}

export async function runList(host: Host, options: ListOptions): Promise<void> {
  const output = parseOutput(options.output);
  const everywhere = options.allNamespaces === true;
  await withCluster(host, options, async (cluster) => {
    const query = {
      ...(everywhere ? {} : { namespace: cluster.namespace }),
      ...(options.selector === undefined ? {} : { labelSelector: options.selector }),
    };
    const { items } = await cluster.client.list<Sandbox>(SANDBOXES, query, callOptions(host));
    const objects = items.filter((sandbox) => hasStatus(sandbox, options.status));
    if (objects.length === 0 && output.kind === 'table') {
      const where = everywhere ? '' : ` in ${cluster.namespace} namespace`;
      return write(host.streams.err, `No resources found${where}\n`);
    }
    const columns = sandboxColumns(host.clock.now(), everywhere);
    const listing = { objects, single: false, columns, noHeaders: !options.headers };
    return write(host.streams.out, await renderListing(output, listing));
  });
}

function hasStatus(sandbox: Sandbox, wanted: string | undefined): boolean {
  return wanted === undefined || sandboxStatus(sandbox).toLowerCase() === wanted.toLowerCase();
}
