// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { readDocuments } from '../client/documents.ts';
import { type Cluster, callOptions, loadCluster, withCluster } from '../context/cluster.ts';
import { parseTimeout } from '../context/duration.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput, qualifiedName } from '../printers/output.ts';
import { runningJudge, waitForSandbox } from '../wait/waitForSandbox.ts';
import { buildSandbox, type SpecFlags } from './manifest.ts';

export interface CreateOptions extends GlobalFlags, SpecFlags {
  readonly filename?: string;
  readonly output?: string;
  readonly dryRun?: 'client' | 'server' | 'none';
  readonly wait?: boolean;
  readonly waitTimeout: string;
}

export async function runCreate(host: Host, options: CreateOptions): Promise<void> {
  const output = parseOutput(options.output);
  const waitMs = parseTimeout('--wait-timeout', options.waitTimeout);
  const base = options.filename === undefined ? undefined : await readBase(host, options.filename);
  if (options.dryRun === 'client') {
    const sandbox = buildSandbox(options, await namespaceOf(host, options, base), base);
    return printChange(host, output, sandbox, 'created (dry run)');
  }
  await withCluster(host, options, async (cluster) => {
    const namespace = options.namespace ?? base?.metadata.namespace ?? cluster.namespace;
    const sandbox = buildSandbox(options, namespace, base);
    const dryRun = options.dryRun === 'server';
    const writing = {
      ...callOptions(host),
      dryRun,
      fieldManager: 'kubectl-agenttier',
      fieldValidation: 'Strict' as const,
    };
    const created = await cluster.client.create<Sandbox>(SANDBOXES, namespace, sandbox, writing);
    await printChange(host, output, created, dryRun ? 'created (server dry run)' : 'created');
    if (options.wait === true && !dryRun)
      await waitUntilRunning(host, { ...cluster, namespace }, created, waitMs);
  });
}

async function waitUntilRunning(
  host: Host,
  cluster: Cluster,
  sandbox: Sandbox,
  timeoutMs: number,
): Promise<void> {
  const name = sandbox.metadata.name ?? '';
  const running = await waitForSandbox({ host, cluster, name, judge: runningJudge(), timeoutMs });
  if (running) await write(host.streams.err, `${qualifiedName(running)} is running\n`);
}

async function readBase(host: Host, filename: string): Promise<Sandbox> {
  const documents = await readDocuments(host, filename);
  const [first] = documents;
  if (documents.length !== 1 || first?.object.kind !== 'Sandbox') {
    throw new CommandError(
      `${filename}: create takes a file with one Sandbox; use kubectl apply -f for more`,
    );
  }
  return first.object;
}

/** A client-side dry run works without a cluster; the namespace is then whatever is known. */
async function namespaceOf(host: Host, options: CreateOptions, base: Sandbox | undefined): Promise<string> {
  const named = options.namespace ?? base?.metadata.namespace;
  if (named !== undefined) return named;
  return loadCluster(host, options).then(
    ({ namespace }) => namespace,
    () => 'default',
  );
}
