// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { forEachName, getSandbox, patchSandbox, sandboxNames } from '../client/sandboxes.ts';
import { type Cluster, callOptions, withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { resumeBody } from '../exec/wake.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput } from '../printers/output.ts';
import type { Output } from '../printers/output.ts';
import { sandboxStatus } from '../printers/sandboxColumns.ts';
import type { BULK_ACTIONS } from './verbs.ts';

export interface BulkActionOptions extends GlobalFlags {
  readonly verb: (typeof BULK_ACTIONS)[number];
  readonly names: readonly string[];
  readonly output?: string;
  readonly selector?: string;
  readonly status?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

const DONE = { stop: 'stopping', resume: 'resuming', delete: 'deleted' } as const;

export async function bulkAction(host: Host, options: BulkActionOptions): Promise<void> {
  const output = outputOf(options);
  await withCluster(host, options, async (cluster) => {
    const names = await chosen(host, cluster, options);
    if (names.length === 0) return write(host.streams.err, `No sandboxes to ${options.verb}\n`);
    return forEachName(names, async (name) => {
      const done = options.dryRun === true ? `${DONE[options.verb]} (dry run)` : DONE[options.verb];
      await printChange(host, output, await touched(host, cluster, options, { name, output }), done);
    });
  });
}

/** Nothing is left of what is deleted but its name. */
function outputOf({ verb, output }: BulkActionOptions): Output {
  if (verb === 'delete' && output !== undefined && output !== 'name')
    throw new CommandError('unexpected -o output mode: bulk delete prints names only (-o name)');
  return parseOutput(output);
}

/** The sandbox after what was done to it; where no more is printed than its name, no more of it is asked for. */
async function touched(
  host: Host,
  cluster: Cluster,
  { verb, dryRun }: BulkActionOptions,
  { name, output }: { readonly name: string; readonly output: Output },
): Promise<KubeObject> {
  const named = {
    apiVersion: `${SANDBOXES.group}/${SANDBOXES.version}`,
    kind: SANDBOXES.kind,
    metadata: { name },
  };
  if (dryRun !== true) return (await act(host, cluster, verb, name)) ?? named;
  return output.kind === 'table' || output.kind === 'name' ? named : getSandbox(host, cluster, name);
}

/** Which ones is said in exactly one way, so that no typo turns a few into all. */
async function chosen(host: Host, cluster: Cluster, options: BulkActionOptions): Promise<string[]> {
  const { names, selector, status, all } = options;
  const picks = selector !== undefined || status !== undefined || all === true;
  if (names.length > 0 && picks) throw new CommandError('give names or -l, --status and --all, not both', 2);
  if (names.length > 0) return sandboxNames(names);
  if (!picks) throw new CommandError('name sandboxes, or pick them with -l, --status or --all', 2);
  const query = { namespace: cluster.namespace, labelSelector: selector };
  const { items } = await cluster.client.list<Sandbox>(SANDBOXES, query, callOptions(host));
  return items
    .filter((one) => status === undefined || sandboxStatus(one).toLowerCase() === status.toLowerCase())
    .map(({ metadata }) => metadata.name ?? '');
}

async function act(
  host: Host,
  cluster: Cluster,
  verb: BulkActionOptions['verb'],
  name: string,
): Promise<Sandbox | undefined> {
  if (verb === 'delete') {
    await cluster.client.delete(SANDBOXES, { namespace: cluster.namespace, name }, callOptions(host));
    return undefined;
  }
  const body = verb === 'stop' ? { spec: { desiredState: 'Stopped' } } : resumeBody(host);
  return patchSandbox(host, cluster, name, body);
}
