// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { type Cluster, callOptions } from '../context/cluster.ts';
import { parseTimeout } from '../context/duration.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput, qualifiedName } from '../printers/output.ts';
import { runningJudge, waitForSandbox } from '../wait/waitForSandbox.ts';

/** Flags of every command that makes a sandbox out of another one's data. */
export interface CopyFlags extends GlobalFlags {
  /** Name of the new sandbox; without one the API server makes it up from that of the source. */
  readonly to?: string;
  readonly output?: string;
  readonly wait?: boolean;
  readonly waitTimeout: string;
}

/** Creates the copy, says so, and waits for it where that was asked for. */
export async function createCopy(
  host: Host,
  cluster: Cluster,
  options: CopyFlags,
  copy: { readonly spec: SandboxSpec; readonly prefix: string; readonly done: string },
): Promise<void> {
  const output = parseOutput(options.output);
  const timeoutMs = parseTimeout('--wait-timeout', options.waitTimeout);
  const { namespace } = cluster;
  const name = options.to === undefined ? { generateName: copy.prefix } : { name: options.to };
  const sandbox: Sandbox = {
    apiVersion: API_VERSION,
    kind: 'Sandbox',
    metadata: { ...name, namespace },
    spec: copy.spec,
  };
  const writing = { ...callOptions(host), fieldManager: 'kubectl-agenttier' };
  const created = await cluster.client.create<Sandbox>(SANDBOXES, namespace, sandbox, writing);
  await printChange(host, output, created, copy.done);
  if (options.wait !== true) return;
  const named = created.metadata.name ?? '';
  const running = await waitForSandbox({ host, cluster, name: named, judge: runningJudge(), timeoutMs });
  if (running) await write(host.streams.err, `${qualifiedName(running)} is running\n`);
}
