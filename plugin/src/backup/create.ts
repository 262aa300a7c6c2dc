// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ANNOTATION_BACKUP } from '@agenttier/crds/meta/labels';
import { getSandbox, patchSandbox, sandboxNames } from '../client/sandboxes.ts';
import { withCluster } from '../context/cluster.ts';
import { parseTimeout } from '../context/duration.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput } from '../printers/output.ts';
import { type Judge, waitForSandbox } from '../wait/waitForSandbox.ts';

export interface CreateBackupOptions extends GlobalFlags {
  readonly name: string;
  readonly output?: string;
  readonly wait?: boolean;
  readonly waitTimeout: string;
}

/** Each new value of the annotation asks for one backup; the operator cuts it and reports in the sandbox's status. */
export async function createBackup(host: Host, options: CreateBackupOptions): Promise<void> {
  const output = parseOutput(options.output);
  const timeoutMs = parseTimeout('--wait-timeout', options.waitTimeout);
  const [name = ''] = sandboxNames([options.name]);
  await withCluster(host, options, async (cluster) => {
    const before = await getSandbox(host, cluster, name);
    const id = new Date(host.clock.now()).toISOString();
    const metadata = { annotations: { [ANNOTATION_BACKUP]: id } };
    const asked = await patchSandbox(host, cluster, name, { metadata });
    if (options.wait !== true) return printChange(host, output, asked, 'is being backed up');
    const judge = backupJudge(id, before.status?.backup?.lastName);
    const done = await waitForSandbox({ host, cluster, name, judge, timeoutMs });
    const made = done?.status?.backup?.lastName ?? '';
    if (output.kind === 'name')
      return write(host.streams.out, `volumesnapshot.snapshot.storage.k8s.io/${made}\n`);
    return printChange(host, output, done ?? asked, `backed up as ${made}`);
  });
}

/** Reached when the request was seen and a newer backup than the one before can be restored. */
function backupJudge(id: string, before: string | undefined): Judge {
  return (sandbox) => {
    if (sandbox === undefined) return { failed: 'does not exist' };
    const failing = failureOf(sandbox);
    if (failing !== undefined) return { failed: `cannot be backed up: ${failing}` };
    const { observedRequest, lastName } = sandbox.status?.backup ?? {};
    return observedRequest === id && lastName !== undefined && lastName !== before ? 'reached' : 'pending';
  };
}

function failureOf({ status }: Sandbox): string | undefined {
  const failing = status?.conditions?.find(({ type }) => type === 'BackupFailing');
  return failing?.status === 'True' ? failing.message || failing.reason : undefined;
}
