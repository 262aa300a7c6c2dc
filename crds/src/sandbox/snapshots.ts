// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '../meta/hash.ts';
import { SNAPSHOT_KINDS } from '../meta/labels.ts';
import type { SnapshotKind } from '../meta/labels.ts';
import { derivedName } from '../meta/names.ts';

/** Words in the names of snapshots. */
const WORDS: Readonly<Record<SnapshotKind, string>> = {
  [SNAPSHOT_KINDS.stop]: 'stopsnap',
  [SNAPSHOT_KINDS.scheduled]: 'backup',
  [SNAPSHOT_KINDS.requested]: 'backup',
  [SNAPSHOT_KINDS.clone]: 'clone',
};

/**
 * A name that follows from what the snapshot is made for. Whoever comes to make it a second time, after a crash or as the
 * next leader, finds it made; and whoever asks for it knows its name before it is there.
 */
export function snapshotName(sandbox: string, kind: SnapshotKind, occasion: string): string {
  return derivedName('', sandbox, `-${WORDS[kind]}-${sha256Hex(occasion).slice(0, 10)}`);
}

/** Who a sandbox is, of all that have had its name. */
export interface Named {
  readonly name: string;
  readonly uid: string;
}

/** Of the annotation that asks for a backup so much counts. */
export const REQUEST_LENGTH = 256;

/** Snapshot of the backup that a value of the annotation asks for. */
export const requestedBackupName = ({ name, uid }: Named, request: string): string =>
  snapshotName(name, SNAPSHOT_KINDS.requested, `${uid}/request/${request.slice(0, REQUEST_LENGTH)}`);

/** Snapshot that a copy is made through. */
export const cloneSnapshotName = ({ name, uid }: Named): string =>
  snapshotName(name, SNAPSHOT_KINDS.clone, uid);
