// SPDX-License-Identifier: Apache-2.0
import type { SnapshotKind } from '@agenttier/crds/meta/labels';
import type { VolumeSnapshot } from '../core.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { cutAt, isReady, kindOf } from './snapshot.ts';

/** A snapshot that never became one is kept this long, as its driver may still get there. */
const FAILED_MS = 3_600_000;

/**
 * All of a kind but the newest, counted among those that can be restored, so that a failure never pushes a good one out.
 * Only the sandbox's own are in the state.
 */
export function surplus(
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
