// SPDX-License-Identifier: Apache-2.0
import { type EffectiveLimit, effectiveView } from '@agenttier/crds/explain/effectiveView';
import { type Policies, usageOfAll } from '@agenttier/crds/explain/explanation';
import { effectivePolicy } from '@agenttier/crds/governance/effective';
import { readPolicies } from '../client/policies.ts';
import { withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { type Output, parseOutput, renderValue } from '../printers/output.ts';
import { type Column, renderTable } from '../printers/table.ts';
import { usageTable } from './usageTable.ts';

export interface PolicyOptions extends GlobalFlags {
  readonly output?: string;
  readonly headers: boolean;
}

const COLUMNS: readonly Column<EffectiveLimit>[] = [
  { header: 'FIELD', value: ({ field }) => field },
  { header: 'LIMIT', value: ({ value }) => (Array.isArray(value) ? value.join(', ') : String(value)) },
  { header: 'SCOPE', value: ({ scope }) => scope },
];

/** The combined policy of the namespace. */
export async function runEffective(host: Host, options: PolicyOptions): Promise<void> {
  const { output, namespace, policies } = await gather(host, options);
  const specs = { cluster: policies.cluster?.spec, local: policies.local?.spec };
  const view = effectiveView(namespace, effectivePolicy(specs.cluster, specs.local), specs);
  if (output.kind !== 'table') return write(host.streams.out, await renderValue(output, view));
  if (view.fields.length === 0) return write(host.streams.err, `No policy limits namespace ${namespace}\n`);
  await write(host.streams.out, renderTable(view.fields, COLUMNS, { noHeaders: !options.headers }));
}

/** What the policies count, from their status. */
export async function runUsage(host: Host, options: PolicyOptions): Promise<void> {
  const { output, namespace, policies } = await gather(host, options);
  const scopes = usageOfAll(policies, namespace, 'all');
  if (output.kind !== 'table')
    return write(host.streams.out, await renderValue(output, { namespace, scopes }));
  if (scopes.length === 0) {
    return write(host.streams.err, `No policy counts anything for namespace ${namespace}\n`);
  }
  await write(host.streams.out, usageTable(scopes, { wide: output.wide, noHeaders: !options.headers }));
}

interface Gathered {
  readonly output: Exclude<Output, { kind: 'name' }>;
  readonly namespace: string;
  readonly policies: Policies;
}

async function gather(host: Host, options: PolicyOptions): Promise<Gathered> {
  const output = parseOutput(options.output);
  if (output.kind === 'name')
    throw new CommandError('policy prints a table, json, yaml or jsonpath, not names');
  return withCluster(host, options, async (cluster) => ({
    output,
    namespace: cluster.namespace,
    policies: await readPolicies(host, cluster, cluster.namespace),
  }));
}
