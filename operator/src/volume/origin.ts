// SPDX-License-Identifier: Apache-2.0
import { SNAPSHOT_KINDS } from '@agenttier/crds/meta/labels';
import { cloneSnapshotName } from '@agenttier/crds/sandbox/snapshots';
import type { VolumeSnapshot } from '../core.ts';
import type { Action } from '../decision/actions.ts';
import { no } from '../decision/finding.ts';
import type { Finding } from '../decision/finding.ts';
import type { SandboxState } from '../sandbox/state.ts';
import type { Origin } from './claim.ts';
import { beginCut } from './cut.ts';
import { faultOf, isReady, NO_SNAPSHOTS, snapshotNamed } from './snapshot.ts';
import type { Shot } from './snapshot.ts';

/** Where a new volume's content comes from, or what has to happen before that is known. */
export type Source =
  | { readonly ready: true; readonly origin?: Origin | undefined }
  | { readonly ready: false; readonly finding: Finding; readonly actions: readonly Action[] };

export function sourceOf(state: SandboxState, now: number): Source {
  const { cloneFrom, cloneFromSnapshot } = state.sandbox.spec ?? {};
  if (cloneFrom === undefined && !cloneFromSnapshot) return { ready: true };
  if (state.snapshots === undefined) return waiting('SnapshotsUnavailable', NO_SNAPSHOTS);
  if (cloneFrom !== undefined) return copyOf(state, cloneFrom.sandbox, now);
  const name = cloneFromSnapshot ?? '';
  const found = state.restore;
  if (found === undefined)
    return waiting('SnapshotMissing', `VolumeSnapshot ${name}, which the volume is to be made from, is gone`);
  return contentOf(found, name);
}

function waiting(reason: string, message: string, actions: readonly Action[] = []): Source {
  return { ready: false, finding: no(reason, message), actions };
}

function contentOf(snapshot: VolumeSnapshot, name: string): Source {
  const fault = faultOf(snapshot);
  if (isReady(snapshot))
    return { ready: true, origin: { snapshot: name, size: snapshot.status?.restoreSize } };
  return fault === undefined
    ? waiting('SnapshotNotReady', `VolumeSnapshot ${name} is not ready yet`)
    : waiting('SnapshotFailed', `VolumeSnapshot ${name}: ${fault}`);
}

/** The copy of another sandbox's volume goes through a snapshot of its own. */
function copyOf(state: SandboxState, sourceName: string, now: number): Source {
  const { owner, source, observations } = state;
  const name = cloneSnapshotName(owner);
  const made = snapshotNamed(state, name);
  if (made !== undefined) return contentOf(made, name);
  if (source === undefined)
    return waiting('SourceMissing', `Sandbox ${sourceName}, which this is to be a copy of, is gone`);
  if (source.pvc?.status?.phase !== 'Bound')
    return waiting('SnapshotNotReady', `Sandbox ${sourceName} has no volume yet that could be copied`);
  const refusal = observations.refusals.get('snapshot');
  const shot = shotOf(state, name, source.pvc.metadata.name ?? '');
  const writer = source.pod && { pod: source.pod, sandboxUid: source.sandbox.metadata.uid ?? '' };
  const actions = beginCut(state, shot, writer, now);
  if (refusal !== undefined) return waiting('SnapshotFailed', refusal.message, actions);
  return waiting('SnapshotNotReady', `the volume of Sandbox ${sourceName} is being copied`, actions);
}

function shotOf({ sandbox }: SandboxState, name: string, claim: string): Shot {
  const { sandbox: source = '', snapshotClass } = sandbox.spec?.cloneFrom ?? {};
  return { name, kind: SNAPSHOT_KINDS.clone, claim, source, snapshotClass };
}

/** What the volume came from, as `Kind/name`; undefined for one that began empty. */
export function originText({ sandbox }: SandboxState): string | undefined {
  const { cloneFrom, cloneFromSnapshot } = sandbox.spec ?? {};
  if (cloneFrom !== undefined) return `Sandbox/${cloneFrom.sandbox}`;
  return cloneFromSnapshot ? `VolumeSnapshot/${cloneFromSnapshot}` : undefined;
}
