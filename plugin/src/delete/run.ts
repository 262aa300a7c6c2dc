// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { forEachName, sandboxNames } from '../client/sandboxes.ts';
import { callOptions, withCluster } from '../context/cluster.ts';
import { parseTimeout } from '../context/duration.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { deletedJudge, waitForSandbox } from '../wait/waitForSandbox.ts';

export interface DeleteOptions extends GlobalFlags {
  readonly names: readonly string[];
  readonly output?: string;
  readonly wait?: boolean;
  readonly waitTimeout: string;
  readonly ignoreNotFound?: boolean;
}

export async function runDelete(host: Host, options: DeleteOptions): Promise<void> {
  const { output } = options;
  if (output !== undefined && output !== 'name')
    throw new CommandError('unexpected -o output mode: delete prints names only (-o name)');
  const timeoutMs = parseTimeout('--wait-timeout', options.waitTimeout);
  const names = sandboxNames(options.names);
  await withCluster(host, options, (cluster) =>
    forEachName(names, async (name) => {
      try {
        await cluster.client.delete(SANDBOXES, { namespace: cluster.namespace, name }, callOptions(host));
      } catch (error) {
        if (options.ignoreNotFound === true && isNotFound(error)) return;
        throw error;
      }
      if (options.wait === true)
        await waitForSandbox({ host, cluster, name, judge: deletedJudge, timeoutMs });
      const line =
        output === 'name' ? `sandbox.agenttier.io/${name}` : `sandbox.agenttier.io "${name}" deleted`;
      await write(host.streams.out, `${line}\n`);
    }),
  );
}
