// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { pvcName } from '@agenttier/crds/meta/names';
import type { PersistentVolumeClaim } from '../core.ts';
import type { Action } from '../decision/actions.ts';
import { blockOf } from '../decision/block.ts';
import type { DriftOptions } from '../decision/block.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { buildClaim, claimMatches, claimRepair } from './claim.ts';
import { growthOf } from './growth.ts';
import { sourceOf } from './origin.ts';
import { disown, isOwnerReferenced, isRetained } from './retain.ts';

/** Name of the workspace claim: what is recorded wins for the sandbox's whole life. */
export const claimName = (state: SandboxState): string =>
  state.sandbox.status?.pvcName || state.pvc?.metadata.name || pvcName(state.owner.name);

/**
 * A claim that was recorded and is not there is looked for by name, never silently replaced by an empty one. One that is
 * to be a copy is made once there is something to copy.
 */
export function claimActions(state: SandboxState, spec: EffectiveSpec, options: DriftOptions): Action[] {
  if (blockOf(state, 'pvc', options.now)) return [];
  if (state.pvc !== undefined) return [keepClaim(state, state.pvc, spec)].flatMap((action) => action ?? []);
  if (!options.create || state.observations.volumeLost) return [];
  const name = claimName(state);
  if (state.sandbox.status?.pvcName) return [{ do: 'findPvc', name }];
  const source = sourceOf(state, options.now);
  if (!source.ready) return [...source.actions];
  return [{ do: 'create', kind: 'pvc', body: buildClaim(state.owner, name, spec, source.origin) }];
}

function keepClaim(
  state: SandboxState,
  live: PersistentVolumeClaim,
  spec: EffectiveSpec,
): Action | undefined {
  if (isTerminating(live)) return undefined;
  if (isRetained(spec) && isOwnerReferenced(live, state.owner)) return disown('pvc', live, state.owner);
  const asked = buildClaim(state.owner, live.metadata.name ?? '', spec);
  const desired = growthOf(state, live).possible ? asked : { ...asked, spec: live.spec };
  return claimMatches(live, desired)
    ? undefined
    : { do: 'repair', kind: 'pvc', body: claimRepair(live, desired) };
}
