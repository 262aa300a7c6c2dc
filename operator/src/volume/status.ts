// SPDX-License-Identifier: Apache-2.0
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import { CONDITION_TYPES, findCondition } from '@agenttier/crds/meta/conditions';
import type { EventNote } from '../decision/actions.ts';
import { timeOf } from '../decision/deadlines.ts';
import { yes } from '../decision/finding.ts';
import type { Finding } from '../decision/finding.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { backupPlan, backupsOf, backupStatus, openRequest } from './backup.ts';
import { originText } from './origin.ts';
import { faultOf, NO_SNAPSHOTS } from './snapshot.ts';

type VolumeStatus = {
  readonly [F in 'stoppedAt' | 'backup' | 'clonedFrom']: SandboxStatus[F] | undefined;
};

/** What the status says of the volume and its copies. `phase` is the one that is about to be stored. */
export function volumeStatus(state: SandboxState, phase: string, now: number): VolumeStatus {
  return {
    stoppedAt: stoppedAt(state, phase, now),
    backup: backupStatus(state, now),
    clonedFrom: state.sandbox.status?.clonedFrom ?? newOrigin(state),
  };
}

function stoppedAt({ pod, sandbox }: SandboxState, phase: string, now: number): string | undefined {
  const down = pod === undefined && (phase === 'Stopped' || phase === 'Error');
  return down ? (sandbox.status?.stoppedAt ?? new Date(now).toISOString()) : undefined;
}

const newOrigin = (state: SandboxState): string | undefined =>
  state.pvc?.status?.phase === 'Bound' ? originText(state) : undefined;

/** The condition BackupFailing, there only while backups are wanted and do not come about. */
export function backupFinding(state: SandboxState): Finding | undefined {
  const wanted = backupPlan(state) !== undefined || openRequest(state) !== undefined;
  if (state.snapshots === undefined)
    return wanted || snapshotsOnStop(state) ? yes('SnapshotsUnavailable', NO_SNAPSHOTS) : undefined;
  const refusal = state.observations.refusals.get('snapshot');
  return wanted && refusal !== undefined ? yes('SnapshotFailed', refusal.message) : newestFault(state);
}

const snapshotsOnStop = ({ resolution }: SandboxState): boolean =>
  resolution.ok && resolution.spec.storage?.snapshotOnStop === true;

function newestFault(state: SandboxState): Finding | undefined {
  const [newest] = backupsOf(state);
  const fault = newest && faultOf(newest);
  return fault === undefined
    ? undefined
    : yes('SnapshotFailed', `VolumeSnapshot ${newest?.metadata.name}: ${fault}`);
}

/** Events for what a status says for the first time. */
export function volumeEvents(before: SandboxStatus, after: SandboxStatus): EventNote[] {
  return [
    ...createdEvents(before, after),
    ...prunedEvents(before, after),
    ...failingEvents(before, after),
    ...clonedEvents(before, after),
  ];
}

function createdEvents({ backup: old }: SandboxStatus, { backup }: SandboxStatus): EventNote[] {
  const newer = (timeOf(backup?.lastTime) ?? 0) > (timeOf(old?.lastTime) ?? 0);
  const note = `VolumeSnapshot ${backup?.lastName} can be restored`;
  return newer ? [{ type: 'Normal', reason: 'BackupCreated', note }] : [];
}

function prunedEvents({ backup: old }: SandboxStatus, { backup }: SandboxStatus): EventNote[] {
  const known = new Set(old?.pruned?.map(({ name }) => name));
  return (backup?.pruned ?? [])
    .filter(({ name }) => !known.has(name))
    .map(({ name }) => {
      const note = `VolumeSnapshot ${name} is deleted: enough newer backups are kept`;
      return { type: 'Normal', reason: 'BackupPruned', note };
    });
}

function failingEvents(before: SandboxStatus, after: SandboxStatus): EventNote[] {
  const type = CONDITION_TYPES.backupFailing;
  const failing = findCondition(after.conditions, type);
  const fresh = failing !== undefined && findCondition(before.conditions, type) === undefined;
  return fresh ? [{ type: 'Warning', reason: 'SnapshotFailed', note: failing.message }] : [];
}

function clonedEvents(before: SandboxStatus, { clonedFrom }: SandboxStatus): EventNote[] {
  const fresh = clonedFrom !== undefined && before.clonedFrom === undefined;
  return fresh ? [{ type: 'Normal', reason: 'Cloned', note: `The volume was made from ${clonedFrom}` }] : [];
}
