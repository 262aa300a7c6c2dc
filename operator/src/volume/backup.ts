// SPDX-License-Identifier: Apache-2.0
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import { parseDuration } from '@agenttier/crds/meta/duration';
import { ANNOTATION_BACKUP, ANNOTATION_BACKUP_CLASS, SNAPSHOT_KINDS } from '@agenttier/crds/meta/labels';
import { REQUEST_LENGTH, requestedBackupName, snapshotName } from '@agenttier/crds/sandbox/snapshots';
import type { VolumeSnapshot } from '../core.ts';
import type { Action } from '../decision/actions.ts';
import { timeOf } from '../decision/deadlines.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { beginCut } from './cut.ts';
import { slotsOf } from './schedule.ts';
import { cutAt, isReady, kindOf, snapshotNamed } from './snapshot.ts';
import { surplus } from './surplus.ts';
import type { Shot } from './snapshot.ts';

type BackupStatus = NonNullable<SandboxStatus['backup']>;

/** How many scheduled backups are kept where nobody says. */
const KEEP = 7;
/** As many as the status has room for; the rest follows when these are gone. */
const MAX_PRUNED = 32;

export interface BackupPlan {
  readonly everyMs: number;
  readonly keep: number;
}

/** What the sandbox says, or else the installation; undefined for no schedule. */
export function backupPlan({ resolution, settings }: SandboxState): BackupPlan | undefined {
  const { every, keep } = (resolution.ok ? resolution.spec.backup : undefined) ?? {};
  const everyMs = every === undefined ? settings.backups?.everyMs : parseDuration(every);
  return everyMs ? { everyMs, keep: keep ?? settings.backups?.keep ?? KEEP } : undefined;
}

/** The request that has not been acted on, if any. */
export function openRequest({ sandbox }: SandboxState): string | undefined {
  const id = (sandbox.metadata.annotations?.[ANNOTATION_BACKUP] ?? '').slice(0, REQUEST_LENGTH);
  return id === '' || id === sandbox.status?.backup?.observedRequest ? undefined : id;
}

interface Slot {
  /** The time that is due; undefined when none is. */
  readonly due?: number | undefined;
  readonly next?: number;
}

export function slotOf(state: SandboxState, now: number): Slot {
  const plan = backupPlan(state);
  const { metadata, status } = state.sandbox;
  const createdAt = timeOf(metadata.creationTimestamp);
  if (plan === undefined || createdAt === undefined) return {};
  const { current, next } = slotsOf(state.owner.uid, createdAt, plan.everyMs, now);
  const last = timeOf(status?.backup?.lastScheduledTime) ?? 0;
  return { due: current !== undefined && current > last ? current : undefined, next };
}

/** Steps towards the backups that are due and not begun. */
export function backupActions(state: SandboxState, now: number): Action[] {
  const { pvc, pod, owner, snapshots } = state;
  if (snapshots === undefined || pvc?.status?.phase !== 'Bound') return [];
  const claim = pvc.metadata.name ?? '';
  const writer = pod && { pod, sandboxUid: owner.uid };
  return due(state, now)
    .filter(({ name }) => snapshotNamed(state, name) === undefined)
    .flatMap((shot) => beginCut(state, { ...shot, claim, source: owner.name }, writer, now));
}

function due(state: SandboxState, now: number): Pick<Shot, 'name' | 'kind' | 'snapshotClass'>[] {
  const request = openRequest(state);
  const { due: slot } = slotOf(state, now);
  return [
    ...(request === undefined ? [] : [requested(state, request)]),
    ...(slot === undefined || isUnchanged(state) ? [] : [scheduled(state, slot)]),
  ];
}

const requested = ({ owner, sandbox }: SandboxState, id: string) => ({
  name: requestedBackupName(owner, id),
  kind: SNAPSHOT_KINDS.requested,
  snapshotClass: sandbox.metadata.annotations?.[ANNOTATION_BACKUP_CLASS] || undefined,
});

const scheduled = ({ owner }: SandboxState, slot: number) => ({
  name: snapshotName(owner.name, SNAPSHOT_KINDS.scheduled, `${owner.uid}/slot/${slot}`),
  kind: SNAPSHOT_KINDS.scheduled,
});

/** Whether nothing can have been written since a snapshot that is there: it has no pod, and had none then. */
function isUnchanged({ pod, sandbox, snapshots = [] }: SandboxState): boolean {
  const stoppedAt = timeOf(sandbox.status?.stoppedAt);
  if (pod !== undefined || stoppedAt === undefined) return false;
  return snapshots.some(
    (one) => kindOf(one) !== SNAPSHOT_KINDS.clone && isReady(one) && cutAt(one) >= stoppedAt,
  );
}

const isBackup = (snapshot: VolumeSnapshot): boolean => {
  const kind = kindOf(snapshot);
  return kind === SNAPSHOT_KINDS.scheduled || kind === SNAPSHOT_KINDS.requested;
};

/** Scheduled backups whose time is over. */
export function surplusBackups(state: SandboxState, now: number): VolumeSnapshot[] {
  const plan = backupPlan(state);
  return plan === undefined ? [] : surplus(state, SNAPSHOT_KINDS.scheduled, plan.keep, now);
}

/** The backups, the newest first. */
export const backupsOf = ({ snapshots = [] }: SandboxState): VolumeSnapshot[] =>
  snapshots.filter((one) => isBackup(one)).toSorted((a, b) => cutAt(b) - cutAt(a));

/**
 * `status.backup`. What was begun is read off the snapshots that exist, by their names, so there is no moment between the
 * snapshot and its record in which a crash could have it made twice.
 */
export function backupStatus(state: SandboxState, now: number): BackupStatus | undefined {
  const before = state.sandbox.status?.backup ?? {};
  if (state.snapshots === undefined) return state.sandbox.status?.backup;
  const newest = backupsOf(state).find((one) => isReady(one));
  const status: BackupStatus = {
    ...scheduleStatus(state, before, now),
    ...requestStatus(state, before),
    ...(newest === undefined
      ? {}
      : { lastName: newest.metadata.name ?? '', lastTime: new Date(cutAt(newest)).toISOString() }),
    ...prunedStatus(state, before, now),
  };
  return Object.keys(status).length === 0 ? undefined : status;
}

/** Those whose turn has come. They stay named until others have theirs: a write to forget them would be for nothing. */
function prunedStatus(state: SandboxState, before: BackupStatus, now: number): BackupStatus {
  const known = new Map(before.pruned?.map((one) => [one.name, one]));
  const time = new Date(now).toISOString();
  const due = surplusBackups(state, now).map(
    ({ metadata: { name = '' } }) => known.get(name) ?? { name, time },
  );
  const pruned = due.length > 0 ? due.slice(0, MAX_PRUNED) : before.pruned;
  return pruned === undefined ? {} : { pruned };
}

function scheduleStatus(state: SandboxState, before: BackupStatus, now: number): BackupStatus {
  const { due: slot } = slotOf(state, now);
  const begun = slot !== undefined && snapshotNamed(state, scheduled(state, slot).name) !== undefined;
  const time =
    slot !== undefined && (begun || isUnchanged(state))
      ? new Date(slot).toISOString()
      : before.lastScheduledTime;
  return time === undefined ? {} : { lastScheduledTime: time };
}

function requestStatus(state: SandboxState, before: BackupStatus): BackupStatus {
  const id = openRequest(state);
  const begun = id !== undefined && snapshotNamed(state, requested(state, id).name) !== undefined;
  const observed = begun ? id : before.observedRequest;
  return observed === undefined ? {} : { observedRequest: observed };
}
