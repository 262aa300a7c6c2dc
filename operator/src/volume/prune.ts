// SPDX-License-Identifier: Apache-2.0
import { SNAPSHOT_KINDS } from '@agenttier/crds/meta/labels';
import type { SnapshotKind } from '@agenttier/crds/meta/labels';
import type { VolumeSnapshot } from '../core.ts';
import { deletionOf } from '../decision/actions.ts';
import type { Action } from '../decision/actions.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { backupPlan } from './backup.ts';
import { cutAt, isReady, kindOf } from './snapshot.ts';

/** How many snapshots of stops are kept where nobody says. */
const KEEP_STOPS = 3;
/** A snapshot that never became one is kept this long, as its driver may still get there. */
const FAILED_MS = 3_600_000;

/**
 * Snapshots whose time is over: of stops and of the schedule all but the newest, counted among those that can be
 * restored, so that a failure never pushes a good one out. What somebody asked for stays until the sandbox goes. Only the
 * sandbox's own are in the state.
 */
export function pruneActions(state: SandboxState, now: number): Action[] {
  const { resolution } = state;
  const keepStops = (resolution.ok ? resolution.spec.storage?.keepStopSnapshots : undefined) ?? KEEP_STOPS;
  const plan = backupPlan(state);
  const backups = plan === undefined ? [] : surplus(state, SNAPSHOT_KINDS.scheduled, plan.keep, now);
  return [
    ...surplus(state, SNAPSHOT_KINDS.stop, keepStops, now).map((one) => deletionOf('snapshot', one)),
    ...backups.flatMap((one): Action[] => [
      deletionOf('snapshot', one),
      {
        do: 'announce',
        events: [
          {
            type: 'Normal',
            reason: 'BackupPruned',
            note: `VolumeSnapshot ${one.metadata.name} is deleted: ${plan?.keep} newer backups are kept`,
          },
        ],
      },
    ]),
    ...spentCopies(state),
  ];
}

function surplus(
  { snapshots = [] }: SandboxState,
  kind: SnapshotKind,
  keep: number,
  now: number,
): VolumeSnapshot[] {
  const all = snapshots.filter((one) => kindOf(one) === kind && !isTerminating(one));
  const good = all.filter((one) => isReady(one)).toSorted((a, b) => cutAt(b) - cutAt(a));
  const bad = all.filter((one) => !isReady(one) && now - cutAt(one) > FAILED_MS);
  return [...good.slice(keep), ...bad];
}

/** The snapshot that a copy was made through, once the copy has its volume. */
function spentCopies({ sandbox, pvc, snapshots = [] }: SandboxState): Action[] {
  if (pvc?.status?.phase !== 'Bound' || sandbox.spec?.cloneFrom?.keepSnapshot === true) return [];
  return snapshots
    .filter((one) => kindOf(one) === SNAPSHOT_KINDS.clone && !isTerminating(one))
    .map((one) => deletionOf('snapshot', one));
}
