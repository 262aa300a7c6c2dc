// SPDX-License-Identifier: Apache-2.0
import { copySpec } from '@agenttier/crds/sandbox/copy';
import { type CopyFlags, createCopy } from '../client/copies.ts';
import { getSandbox, sandboxNames } from '../client/sandboxes.ts';
import { withCluster } from '../context/cluster.ts';
import type { Host } from '../context/host.ts';

export interface CloneOptions extends CopyFlags {
  readonly name: string;
  readonly keepSnapshot?: boolean;
}

/** Admission judges whether the person may have the copy, as it does for one written by hand. */
export async function runClone(host: Host, options: CloneOptions): Promise<void> {
  const [name = ''] = sandboxNames([options.name]);
  await withCluster(host, options, async (cluster) => {
    const source = await getSandbox(host, cluster, name);
    const cloneFrom = { sandbox: name, ...(options.keepSnapshot === true ? { keepSnapshot: true } : {}) };
    const spec = copySpec(source.spec ?? {}, { cloneFrom });
    await createCopy(host, cluster, options, { spec, prefix: `${name}-clone-`, done: `cloned from ${name}` });
  });
}
