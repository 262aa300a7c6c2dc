// SPDX-License-Identifier: Apache-2.0
import { LABEL_SOURCE_SANDBOX } from '@agenttier/crds/meta/labels';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import { bareName } from '../client/names.ts';
import { type Cluster, callOptions } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';

/** The part of a VolumeSnapshot that is shown or asked for. */
export interface Snapshot extends KubeObject {
  readonly status?: {
    readonly readyToUse?: boolean;
    readonly restoreSize?: string;
    readonly error?: { readonly message?: string };
  };
}

export const snapshotNames = (names: readonly string[]): string[] =>
  names.map((name) => bareName(name, ['backup', 'volumesnapshot', 'volumesnapshots']));

export const sourceOf = ({ metadata }: Snapshot): string | undefined =>
  metadata.labels?.[LABEL_SOURCE_SANDBOX];

/** A snapshot that AgentTier made of a sandbox. Throws CommandError for any other: it is none of our business. */
export async function getSnapshot(host: Host, cluster: Cluster, name: string): Promise<Snapshot> {
  const { client, namespace } = cluster;
  const snapshot = await client.get<Snapshot>(VOLUME_SNAPSHOTS, { namespace, name }, callOptions(host));
  if (sourceOf(snapshot) !== undefined) return snapshot;
  throw new CommandError(
    `volumesnapshot "${name}" is no backup of a sandbox; list those with: kubectl agenttier backup list`,
  );
}

/** Says of a cluster without CSI snapshots what it lacks, instead of "the server could not find the requested resource". */
export function explainMissingKind(error: unknown, name?: string): unknown {
  const missing =
    isKubeError(error) &&
    error.status === 404 &&
    (name === undefined || !error.message.includes(`"${name}"`));
  return missing
    ? new CommandError(
        'the cluster has no VolumeSnapshots: install the CSI snapshot controller and its CRDs',
        1,
        error,
      )
    : error;
}
