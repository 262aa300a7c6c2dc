// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { sandboxNames } from '../client/sandboxes.ts';
import { callOptions, withCluster } from '../context/cluster.ts';
import type { GlobalFlags, Host } from '../context/host.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput } from '../printers/output.ts';
import { type ChangeFlags, changeOf } from './change.ts';

export interface PatchOptions extends GlobalFlags, ChangeFlags {
  readonly name: string;
  readonly output?: string;
  readonly dryRun?: boolean;
}

export async function runPatch(host: Host, options: PatchOptions): Promise<void> {
  const output = parseOutput(options.output);
  const [name = ''] = sandboxNames([options.name]);
  const body = changeOf(options);
  await withCluster(host, options, async ({ client, namespace }) => {
    const dryRun = options.dryRun === true;
    const writing = {
      ...callOptions(host),
      dryRun,
      fieldManager: 'kubectl-agenttier',
      fieldValidation: 'Strict' as const,
    };
    const patch = { type: 'merge', body } as const;
    const changed = await client.patch<Sandbox>(SANDBOXES, { namespace, name }, patch, writing);
    await printChange(host, output, changed, dryRun ? 'patched (server dry run)' : 'patched');
  });
}
