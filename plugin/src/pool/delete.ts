// SPDX-License-Identifier: Apache-2.0
import { SANDBOX_WARM_POOLS } from '@agenttier/crds/meta/resources';
import { forEachName } from '../client/sandboxes.ts';
import { callOptions, withCluster } from '../context/cluster.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { poolNames } from './pools.ts';

/** Sandboxes that were made from its pods stay as they are. */
export async function deletePools(
  host: Host,
  options: GlobalFlags & { readonly names: readonly string[] },
): Promise<void> {
  await withCluster(host, options, ({ client, namespace }) =>
    forEachName(poolNames(options.names), async (name) => {
      await client.delete(SANDBOX_WARM_POOLS, { namespace, name }, callOptions(host));
      await write(host.streams.out, `sandboxwarmpool.agenttier.io "${name}" deleted\n`);
    }),
  );
}
