// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { SANDBOX_WARM_POOLS } from '@agenttier/crds/meta/resources';
import { callOptions, withCluster } from '../context/cluster.ts';
import type { GlobalFlags, Host } from '../context/host.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput } from '../printers/output.ts';
import { parseReplicas, poolNames } from './pools.ts';

export interface ScalePoolOptions extends GlobalFlags {
  readonly name: string;
  readonly replicas: string;
  readonly output?: string;
}

export async function scalePool(host: Host, options: ScalePoolOptions): Promise<void> {
  const output = parseOutput(options.output);
  const [name = ''] = poolNames([options.name]);
  const body = { spec: { replicas: parseReplicas(options.replicas) } };
  await withCluster(host, options, async ({ client, namespace }) => {
    const writing = { ...callOptions(host), fieldManager: 'kubectl-agenttier' };
    const key = { namespace, name };
    const pool = await client.patch<SandboxWarmPool>(
      SANDBOX_WARM_POOLS,
      key,
      { type: 'merge', body },
      writing,
    );
    if (pool.spec.autoscale !== undefined) {
      host.streams.err.write(
        `Warning: pool ${name} follows demand (spec.autoscale), so replicas has no effect\n`,
      );
    }
    await printChange(host, output, pool, 'scaled');
  });
}
