// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '@agenttier/crds/generated/types';
import { copySpec } from '@agenttier/crds/sandbox/copy';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { type CopyFlags, createCopy } from '../client/copies.ts';
import { getSandbox } from '../client/sandboxes.ts';
import { type Cluster, withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';
import { templateRef } from '../create/manifest.ts';
import { explainMissingKind, getSnapshot, snapshotNames, sourceOf } from './snapshot.ts';

export interface RestoreOptions extends CopyFlags {
  readonly backup: string;
  readonly template?: string;
}

export async function restoreBackup(host: Host, options: RestoreOptions): Promise<void> {
  const [backup = ''] = snapshotNames([options.backup]);
  await withCluster(host, options, async (cluster) => {
    const snapshot = await getSnapshot(host, cluster, backup).catch((error: unknown) =>
      Promise.reject(explainMissingKind(error, backup)),
    );
    const source = sourceOf(snapshot) ?? '';
    const asked =
      options.template === undefined
        ? await specOf(host, cluster, source)
        : { templateRef: templateRef(options.template) };
    const spec = copySpec(asked, { cloneFromSnapshot: backup });
    const done = `restored from ${backup}`;
    await createCopy(host, cluster, options, { spec, prefix: `${source}-restore-`, done });
  });
}

async function specOf(host: Host, cluster: Cluster, name: string): Promise<SandboxSpec> {
  try {
    return (await getSandbox(host, cluster, name)).spec ?? {};
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CommandError(
      `sandbox "${name}", which this is a backup of, does not exist any more: say what to make with --template`,
      1,
      error,
    );
  }
}
