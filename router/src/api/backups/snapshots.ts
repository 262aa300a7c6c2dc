// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import {
  ANNOTATION_BACKUP,
  ANNOTATION_QUIESCED,
  LABEL_SANDBOX_UID,
  LABEL_SNAPSHOT_KIND,
  SNAPSHOT_KINDS,
} from '@agenttier/crds/meta/labels';
import { REQUEST_LENGTH, requestedBackupName } from '@agenttier/crds/sandbox/snapshots';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { refusals } from '../errors.ts';
import type { Call } from '../route.ts';

/** What is read of a VolumeSnapshot. */
export interface Snapshot extends KubeObject {
  readonly status?: {
    readonly readyToUse?: boolean;
    readonly restoreSize?: string;
    readonly creationTime?: string;
    readonly error?: { readonly message?: string };
  };
}

export interface BackupView {
  readonly name: string;
  readonly createdAt?: string;
  readonly kind: string;
  readonly readyToUse: boolean;
  readonly restoreSize?: string;
  /** Whether the programs of the sandbox stood still for it. */
  readonly quiesced: boolean;
  readonly error?: string;
}

const BACKUPS: ReadonlySet<string | undefined> = new Set([
  SNAPSHOT_KINDS.scheduled,
  SNAPSHOT_KINDS.requested,
  SNAPSHOT_KINDS.stop,
]);

/**
 * The snapshots of a sandbox's own volume, the newest first; undefined where the cluster has no such kind. Asked of the API
 * server: backups are looked at rarely, and a watch of a kind that may not be there would be dearer.
 */
export async function backupsOf(
  client: Pick<KubeClient, 'list'>,
  { signal }: Pick<Call, 'signal'>,
  { metadata: { namespace, uid = '' } }: Sandbox,
): Promise<Snapshot[] | undefined> {
  try {
    const query = { namespace, labelSelector: `${LABEL_SANDBOX_UID}=${uid}` };
    const { items } = await client.list<Snapshot>(VOLUME_SNAPSHOTS, query, { signal });
    return items.filter(({ metadata }) => isBackupOf(metadata, uid)).sort((a, b) => cutAt(b) - cutAt(a));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const isBackupOf = ({ labels }: KubeObject['metadata'], uid: string): boolean =>
  uid !== '' && labels?.[LABEL_SANDBOX_UID] === uid && BACKUPS.has(labels[LABEL_SNAPSHOT_KIND]);

const cutAt = ({ status, metadata }: Snapshot): number =>
  Date.parse(status?.creationTime ?? metadata.creationTimestamp ?? '') || 0;

/** Sorts by itself with the newest first, and those of one moment by name. */
export const newestFirst = (snapshot: Snapshot): string =>
  `${String(Number.MAX_SAFE_INTEGER - cutAt(snapshot))} ${snapshot.metadata.name ?? ''}`;

/** Throws the 404 for what is no backup of that sandbox, whatever else it may be. */
export async function backupNamed(
  client: Pick<KubeClient, 'list'>,
  call: Pick<Call, 'signal'>,
  sandbox: Sandbox,
  name: string,
): Promise<Snapshot> {
  const found = (await backupsOf(client, call, sandbox))?.find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw refusals.backupNotFound(name);
  return found;
}

export function backupView({ metadata, status = {} }: Snapshot): BackupView {
  const { labels = {}, annotations = {} } = metadata;
  return {
    name: metadata.name ?? '',
    kind: labels[LABEL_SNAPSHOT_KIND] ?? '',
    readyToUse: status.readyToUse === true && metadata.deletionTimestamp === undefined,
    quiesced: annotations[ANNOTATION_QUIESCED] !== undefined,
    ...timeOf(status.creationTime ?? metadata.creationTimestamp),
    ...(status.restoreSize ? { restoreSize: status.restoreSize } : {}),
    ...faultOf(status),
  };
}

const faultOf = ({ error }: NonNullable<Snapshot['status']>): Pick<BackupView, 'error'> =>
  error ? { error: error.message ?? 'the storage driver does not say why' } : {};

const timeOf = (createdAt: string | undefined): Pick<BackupView, 'createdAt'> =>
  createdAt ? { createdAt } : {};

/** Name of the backup that was asked for and is not begun, as far as the operator has said. */
export function openBackup({ metadata, status }: Sandbox): string | undefined {
  const request = (metadata.annotations?.[ANNOTATION_BACKUP] ?? '').slice(0, REQUEST_LENGTH);
  if (request === '' || request === status?.backup?.observedRequest) return undefined;
  return requestedBackupName({ name: metadata.name ?? '', uid: metadata.uid ?? '' }, request);
}

export const openView = (name: string): BackupView => ({
  name,
  kind: SNAPSHOT_KINDS.requested,
  readyToUse: false,
  quiesced: false,
});
