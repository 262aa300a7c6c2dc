// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { SANDBOX_WARM_POOLS } from '@agenttier/crds/meta/resources';
import { type Cluster, callOptions, withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { ageSince } from '../printers/age.ts';
import { parseOutput, renderListing } from '../printers/output.ts';
import type { Column } from '../printers/table.ts';
import { poolNames } from './pools.ts';

export interface ListPoolsOptions extends GlobalFlags {
  readonly names: readonly string[];
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly output?: string;
  readonly headers: boolean;
}

export async function listPools(host: Host, options: ListPoolsOptions): Promise<void> {
  const output = parseOutput(options.output);
  const names = poolNames(options.names);
  if (names.length > 0 && options.allNamespaces === true) {
    throw new CommandError('a pool cannot be shown by name across all namespaces', 2);
  }
  await withCluster(host, options, async (cluster) => {
    const objects = await readPools(host, cluster, { ...options, names });
    if (objects.length === 0 && output.kind === 'table') {
      const where = options.allNamespaces === true ? '' : ` in ${cluster.namespace} namespace`;
      return write(host.streams.err, `No pools found${where}\n`);
    }
    const columns = poolColumns(host.clock.now(), options.allNamespaces === true);
    const listing = { objects, single: names.length === 1, columns, noHeaders: !options.headers };
    return write(host.streams.out, await renderListing(output, listing));
  });
}

async function readPools(
  host: Host,
  { client, namespace }: Cluster,
  { names, selector, allNamespaces }: ListPoolsOptions,
): Promise<readonly SandboxWarmPool[]> {
  if (names.length > 0) {
    return Promise.all(
      names.map((name) =>
        client.get<SandboxWarmPool>(SANDBOX_WARM_POOLS, { namespace, name }, callOptions(host)),
      ),
    );
  }
  const query = { labelSelector: selector, ...(allNamespaces === true ? {} : { namespace }) };
  return (await client.list<SandboxWarmPool>(SANDBOX_WARM_POOLS, query, callOptions(host))).items;
}

const count = (value: number | undefined): string => String(value ?? 0);

function poolColumns(now: number, namespaces: boolean): readonly Column<SandboxWarmPool>[] {
  const columns: readonly Column<SandboxWarmPool>[] = [
    { header: 'NAME', value: ({ metadata }) => metadata.name },
    { header: 'TEMPLATE', value: ({ spec }) => spec.templateRef.name },
    { header: 'DESIRED', value: desired },
    { header: 'READY', value: ({ status }) => count(status?.free) },
    { header: 'PENDING', value: ({ status }) => count(status?.building) },
    { header: 'FAILED', value: ({ status }) => count(status?.failed) },
    { header: 'AGE', value: ({ metadata }) => ageSince(metadata.creationTimestamp, now) },
    { header: 'HITS', wide: true, value: ({ status }) => count(status?.claimedTotal) },
    { header: 'MISSES', wide: true, value: ({ status }) => count(status?.missTotal) },
    { header: 'REASON', wide: true, value: reason },
  ];
  const place = { header: 'NAMESPACE', value: ({ metadata }: SandboxWarmPool) => metadata.namespace };
  return namespaces ? [place, ...columns] : columns;
}

const desired = ({ spec }: SandboxWarmPool): string =>
  spec.autoscale ? `${spec.autoscale.min ?? 0}-${spec.autoscale.max ?? '?'}` : count(spec.replicas ?? 1);

const reason = ({ status }: SandboxWarmPool): string | undefined => {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' ? undefined : ready?.reason;
};
