// SPDX-License-Identifier: Apache-2.0
import { whyOf } from '@agenttier/crds/explain/why';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { eventsOf } from '../client/events.ts';
import { getSandbox, sandboxNames } from '../client/sandboxes.ts';
import { withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { parseOutput, renderValue } from '../printers/output.ts';
import { oneLine } from '../printers/table.ts';

export interface WhyOptions extends GlobalFlags {
  readonly name: string;
  readonly output?: string;
}

/** Prints one paragraph about a sandbox. */
export async function runWhy(host: Host, options: WhyOptions): Promise<void> {
  const output = parseOutput(options.output);
  if (output.kind === 'name') throw new CommandError('why prints text, json, yaml or jsonpath, not names');
  const name = sandboxNames([options.name])[0] ?? '';
  const why = await withCluster(host, options, async (cluster) => {
    const sandbox = await getSandbox(host, cluster, name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      throw new CommandError(
        `sandbox "${name}" does not exist in namespace ${cluster.namespace}; one that was refused is not stored: kubectl agenttier check -f FILE says why`,
        1,
        error,
      );
    });
    return whyOf(sandbox, await eventsOf(host, cluster, sandbox), host.clock.now());
  });
  await write(
    host.streams.out,
    output.kind === 'table' ? `${oneLine(why.text)}\n` : await renderValue(output, why),
  );
}
