// SPDX-License-Identifier: Apache-2.0
import { listsDomains } from '@agenttier/crds/egress/enforcement';
import { mayTakeSlot } from '../decision/warm.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { fitOf } from './slot.ts';
import { fitKey } from './slots.ts';
import type { Slots } from './slots.ts';

/** Where to look for a prepared pod that equals the one that would be built; undefined where no pool keeps such. */
export function slotKeyOf(state: SandboxState, slots: Slots | undefined): string | undefined {
  const { resolution, owner, settings } = state;
  if (!slots?.isUsed || !resolution.ok || !mayTakeSlot(state)) return undefined;
  // The proxy's address is in a pod from its birth, and slots are built without it.
  if (listsDomains(resolution.spec)) return undefined;
  const key = fitKey(owner.namespace, fitOf(resolution.spec, settings));
  return slots.isKept(key) ? key : undefined;
}
