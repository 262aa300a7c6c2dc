// SPDX-License-Identifier: Apache-2.0
import { LABEL_SNAPSHOT_KIND, LABEL_SOURCE_SANDBOX } from '@agenttier/crds/meta/labels';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import { sandboxNames } from '../client/sandboxes.ts';
import { callOptions, withCluster } from '../context/cluster.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { ageSince } from '../printers/age.ts';
import { parseOutput, renderListing } from '../printers/output.ts';
import type { Column } from '../printers/table.ts';
import { explainMissingKind, type Snapshot, sourceOf } from './snapshot.ts';

export interface ListBackupsOptions extends GlobalFlags {
  readonly name?: string;
  readonly selector?: string;
  readonly output?: string;
  readonly headers: boolean;
}

export async function listBackups(host: Host, options: ListBackupsOptions): Promise<void> {
  const output = parseOutput(options.output);
  const [name] = options.name === undefined ? [] : sandboxNames([options.name]);
  const ours = name === undefined ? LABEL_SOURCE_SANDBOX : `${LABEL_SOURCE_SANDBOX}=${name}`;
  const labelSelector = options.selector === undefined ? ours : `${ours},${options.selector}`;
  await withCluster(host, options, async ({ client, namespace }) => {
    const found = await client
      .list<Snapshot>(VOLUME_SNAPSHOTS, { namespace, labelSelector }, callOptions(host))
      .catch((error: unknown) => Promise.reject(explainMissingKind(error)));
    const objects = found.items.toSorted((a, b) => createdAt(b) - createdAt(a));
    if (objects.length === 0 && output.kind === 'table') {
      const whose = name === undefined ? `in ${namespace} namespace` : `of sandbox ${name}`;
      return write(host.streams.err, `No backups found ${whose}\n`);
    }
    const columns = backupColumns(host.clock.now());
    const listing = { objects, single: false, columns, noHeaders: !options.headers };
    return write(host.streams.out, await renderListing(output, listing));
  });
}

const createdAt = ({ metadata }: Snapshot): number => Date.parse(metadata.creationTimestamp ?? '') || 0;

const backupColumns = (now: number): readonly Column<Snapshot>[] => [
  { header: 'NAME', value: ({ metadata }) => metadata.name },
  { header: 'SANDBOX', value: sourceOf },
  { header: 'KIND', value: ({ metadata }) => metadata.labels?.[LABEL_SNAPSHOT_KIND] },
  { header: 'READY', value: ({ status }) => String(status?.readyToUse === true) },
  { header: 'SIZE', value: ({ status }) => status?.restoreSize },
  { header: 'AGE', value: ({ metadata }) => ageSince(metadata.creationTimestamp, now) },
  { header: 'ERROR', wide: true, value: ({ status }) => status?.error?.message },
];
