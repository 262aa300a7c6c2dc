// SPDX-License-Identifier: Apache-2.0
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import { forEachName } from '../client/sandboxes.ts';
import { callOptions, withCluster } from '../context/cluster.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { explainMissingKind, getSnapshot, snapshotNames } from './snapshot.ts';

export interface DeleteBackupsOptions extends GlobalFlags {
  readonly names: readonly string[];
}

export async function deleteBackups(host: Host, options: DeleteBackupsOptions): Promise<void> {
  const names = snapshotNames(options.names);
  await withCluster(host, options, (cluster) =>
    forEachName(names, async (name) => {
      const { namespace, client } = cluster;
      try {
        const { metadata } = await getSnapshot(host, cluster, name);
        const preconditions = metadata.uid === undefined ? {} : { uid: metadata.uid };
        await client.delete(VOLUME_SNAPSHOTS, { namespace, name }, { ...callOptions(host), preconditions });
      } catch (error) {
        throw explainMissingKind(error, name);
      }
      await write(host.streams.out, `volumesnapshot.snapshot.storage.k8s.io "${name}" deleted\n`);
    }),
  );
}
