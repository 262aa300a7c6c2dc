// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { getSandbox, sandboxNames } from '../client/sandboxes.ts';
import { withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { parseOutput, renderListing } from '../printers/output.ts';
import { sandboxColumns } from '../printers/sandboxColumns.ts';

export interface GetOptions extends GlobalFlags {
  readonly names: readonly string[];
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly output?: string;
  readonly headers: boolean;
}

/** Prints what it finds and then fails for what it does not: a script sees both the objects and a non-zero code. */
export async function runGet(host: Host, options: GetOptions): Promise<void> {
  if (options.names.length === 0) {
    const { runList } = await import('../list/run.ts');
    return runList(host, options);
  }
  if (options.selector !== undefined)
    throw new CommandError('name cannot be provided when a selector is specified');
  if (options.allNamespaces) {
    throw new CommandError('a resource cannot be retrieved by name across all namespaces');
  }
  const output = parseOutput(options.output);
  const names = sandboxNames(options.names);
  await withCluster(host, options, async (cluster) => {
    const answers = await Promise.allSettled(names.map((name) => getSandbox(host, cluster, name)));
    const objects = answers.flatMap((one): Sandbox[] => (one.status === 'fulfilled' ? [one.value] : []));
    const failures = answers.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []));
    if (objects.length > 0) {
      const columns = sandboxColumns(host.clock.now(), false);
      const listing = { objects, single: names.length === 1, columns, noHeaders: !options.headers };
      await write(host.streams.out, await renderListing(output, listing));
    }
    if (failures.length > 0) throw new AggregateError(failures);
  });
}
