// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { type Cluster, callOptions } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';
import { bareName } from './names.ts';

export async function getSandbox(host: Host, cluster: Cluster, name: string): Promise<Sandbox> {
  return cluster.client.get<Sandbox>(SANDBOXES, { namespace: cluster.namespace, name }, callOptions(host));
}

/** Changes a sandbox by merge patch, in the name of the person. */
export async function patchSandbox(
  host: Host,
  cluster: Cluster,
  name: string,
  body: unknown,
): Promise<Sandbox> {
  const key = { namespace: cluster.namespace, name };
  const options = { ...callOptions(host), fieldManager: 'kubectl-agenttier' };
  return cluster.client.patch<Sandbox>(SANDBOXES, key, { type: 'merge', body }, options);
}

/** The names as typed, without the `sandbox/` that `-o name` prints in front. Throws CommandError for another kind. */
export function sandboxNames(names: readonly string[]): string[] {
  return names.map((name) => bareName(name, ['sandbox', 'sandboxes', 'sbx']));
}

/** Runs `change` for every name, each once; see `forEachItem`. */
export async function forEachName(
  names: readonly string[],
  change: (name: string) => Promise<void>,
): Promise<void> {
  if (names.length === 0) throw new CommandError('at least one sandbox name is required');
  await forEachItem([...new Set(names)], change);
}

/** At most eight at once; fails at the end with everything that failed: one bad item does not keep the others from being handled. */
export async function forEachItem<T>(items: readonly T[], change: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await change(item).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures);
}
