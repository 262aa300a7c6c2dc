// SPDX-License-Identifier: Apache-2.0
import {
  ANNOTATION_QUIESCED,
  ANNOTATION_SNAPSHOT_OWNER,
  LABEL_SNAPSHOT_KIND,
  LABEL_SOURCE_SANDBOX,
  SNAPSHOT_KINDS,
} from '@agenttier/crds/meta/labels';
import type { SnapshotKind } from '@agenttier/crds/meta/labels';
import type { ObjectMeta } from '@agenttier/machinery/kube/resource';
import type { VolumeSnapshot } from '../core.ts';
import { timeOf } from '../decision/deadlines.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { dataMeta } from './retain.ts';

export interface Shot {
  readonly name: string;
  readonly kind: SnapshotKind;
  /** PersistentVolumeClaim that is copied. */
  readonly claim: string;
  /** Sandbox that the claim is of. */
  readonly source: string;
  /** VolumeSnapshotClass that was asked for, instead of the installation's. */
  readonly snapshotClass?: string | undefined;
  /** The pod whose programs stand still: name, uid and the uid of its sandbox. */
  readonly held?: string | undefined;
}

export function buildSnapshot(state: SandboxState, shot: Shot): VolumeSnapshot {
  const meta = metaOf(state, shot);
  const snapshotClass = shot.snapshotClass ?? state.settings.backups?.snapshotClass;
  return {
    metadata: {
      ...meta,
      labels: { ...meta.labels, [LABEL_SNAPSHOT_KIND]: shot.kind, [LABEL_SOURCE_SANDBOX]: shot.source },
      annotations: annotationsOf(state, shot),
    },
    spec: {
      source: { persistentVolumeClaimName: shot.claim },
      ...(snapshotClass === undefined ? {} : { volumeSnapshotClassName: snapshotClass }),
    },
  };
}

/** A copy's own snapshot is a tool, not data: it never outlives the sandbox. */
function metaOf({ owner, sandbox }: SandboxState, { kind, name }: Shot): ObjectMeta {
  const spec = kind === SNAPSHOT_KINDS.clone ? {} : (sandbox.spec?.resolved?.spec ?? {});
  return dataMeta(owner, name, spec);
}

function annotationsOf({ sandbox }: SandboxState, { held }: Shot): Record<string, string> {
  const sub = sandbox.spec?.createdBy?.sub;
  return {
    ...(sub === undefined ? {} : { [ANNOTATION_SNAPSHOT_OWNER]: sub }),
    ...(held === undefined ? {} : { [ANNOTATION_QUIESCED]: held }),
  };
}

export const kindOf = ({ metadata }: VolumeSnapshot): string | undefined =>
  metadata.labels?.[LABEL_SNAPSHOT_KIND];

/** The content is fixed: what is written from now on is not in it. */
export const isCut = ({ status }: VolumeSnapshot): boolean =>
  Boolean(status?.boundVolumeSnapshotContentName) && status?.creationTime !== undefined;

/** Volumes can be made from it. */
export const isReady = (snapshot: VolumeSnapshot): boolean =>
  snapshot.status?.readyToUse === true && snapshot.metadata.deletionTimestamp === undefined;

/** What the storage driver said against it; it may try again. */
export const faultOf = (snapshot: VolumeSnapshot): string | undefined =>
  isCut(snapshot) || snapshot.status?.error === undefined
    ? undefined
    : snapshot.status.error.message || 'the storage driver does not say why';

/** When it was cut, or asked for while it is not; milliseconds since the epoch. */
export const cutAt = ({ status, metadata }: VolumeSnapshot): number =>
  timeOf(status?.creationTime) ?? timeOf(metadata.creationTimestamp) ?? 0;

export const snapshotNamed = ({ snapshots = [] }: SandboxState, name: string): VolumeSnapshot | undefined =>
  snapshots.find(({ metadata }) => metadata.name === name);

/** Why nothing can be cut, where that is so. */
export const NO_SNAPSHOTS =
  'the cluster has no VolumeSnapshots (snapshot.storage.k8s.io/v1): install the CSI snapshot controller and its kinds';
