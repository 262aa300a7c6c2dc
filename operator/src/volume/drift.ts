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
import { disown, isOwnerReferenced, isRetained } from './retain.ts';

/** Name of the workspace claim: what is recorded wins for the sandbox's whole life. */
export const claimName = (state: SandboxState): string =>
  state.sandbox.status?.pvcName || state.pvc?.metadata.name || pvcName(state.owner.name);

/** A claim that was recorded and is not there is looked for by name, never silently replaced by an empty one. */
export function claimAction(
  state: SandboxState,
  spec: EffectiveSpec,
  options: DriftOptions,
): Action | undefined {
  if (blockOf(state, 'pvc', options.now)) return undefined;
  if (state.pvc !== undefined) return keepClaim(state, state.pvc, spec);
  if (!options.create || state.observations.volumeLost) return undefined;
  const name = claimName(state);
  if (state.sandbox.status?.pvcName) return { do: 'findPvc', name };
  return { do: 'create', kind: 'pvc', body: buildClaim(state.owner, name, spec) };
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
