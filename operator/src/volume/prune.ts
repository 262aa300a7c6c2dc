// SPDX-License-Identifier: Apache-2.0
import { SNAPSHOT_KINDS } from '@agenttier/crds/meta/labels';
import { deletionOf } from '../decision/actions.ts';
import type { Action } from '../decision/actions.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { surplusBackups } from './backup.ts';
import { kindOf } from './snapshot.ts';
import { surplus } from './surplus.ts';

/** How many snapshots of stops are kept where nobody says. */
const KEEP_STOPS = 3;

/**
 * Snapshots whose time is over: of stops and of the schedule all but the newest. What somebody asked for stays until the
 * sandbox goes. A backup goes once the status names it: the write that does so tells subscribers, so none goes untold and
 * none is told twice.
 */
export function pruneActions(state: SandboxState, now: number): Action[] {
  const { resolution, sandbox } = state;
  const keepStops = (resolution.ok ? resolution.spec.storage?.keepStopSnapshots : undefined) ?? KEEP_STOPS;
  const named = new Set(sandbox.status?.backup?.pruned?.map(({ name }) => name));
  return [
    ...surplus(state, SNAPSHOT_KINDS.stop, keepStops, now).map((one) => deletionOf('snapshot', one)),
    ...surplusBackups(state, now)
      .filter(({ metadata }) => named.has(metadata.name ?? ''))
      .map((one) => deletionOf('snapshot', one)),
    ...spentCopies(state),
  ];
}

/** The snapshot that a copy was made through, once the copy has its volume. */
function spentCopies({ sandbox, pvc, snapshots = [] }: SandboxState): Action[] {
  if (pvc?.status?.phase !== 'Bound' || sandbox.spec?.cloneFrom?.keepSnapshot === true) return [];
  return snapshots
    .filter((one) => kindOf(one) === SNAPSHOT_KINDS.clone && !isTerminating(one))
    .map((one) => deletionOf('snapshot', one));
}
