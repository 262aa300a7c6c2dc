// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPoolStatus } from '@agenttier/crds/generated/types';
import { setCondition } from '@agenttier/crds/meta/conditions';
import { LABEL_SLOT, LABEL_SLOT_STATE, SLOT_STATES } from '@agenttier/crds/meta/labels';
import type { PoolState } from './state.ts';

const MAX_TEXT = 1_000;

/** The status of a pool. Totals add what was counted since to what is stored. */
export function poolStatus(state: PoolState, wanted: number, now: number): SandboxWarmPoolStatus {
  const { pool, slots, offer, notes } = state;
  const { metadata, status: before } = pool ?? { metadata: {} };
  const count = (kind: string): number => slots.filter((slot) => slot.kind === kind && !slot.stale).length;
  const counts = {
    free: count('free'),
    building: count('building') + notes.inFlight,
    failed: count('failed'),
  };
  const finding = readiness(state, counts.free, wanted);
  const { generation } = metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  return {
    ...before,
    ...counts,
    claimedTotal: (before?.claimedTotal ?? 0) + notes.claimed,
    missTotal: (before?.missTotal ?? 0) + notes.missed,
    ...(offer.ok ? { compat: offer.fit.compat } : {}),
    selector: `${LABEL_SLOT}=${metadata.name},${LABEL_SLOT_STATE}=${SLOT_STATES.open}`,
    ...observed,
    conditions: setCondition(
      before?.conditions ?? [],
      { type: 'Ready', ...finding, message: finding.message.slice(0, MAX_TEXT), ...observed },
      new Date(now),
    ),
  };
}

interface Finding {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** No counts in the text: they would make a new write of each change. */
function readiness({ offer, slots, notes }: PoolState, free: number, wanted: number): Finding {
  if (!offer.ok) return { status: 'False', reason: offer.reason, message: offer.message };
  const problem = slots.find((slot) => slot.kind === 'failed' && !slot.stale)?.problem;
  if (problem !== undefined) return { status: 'False', reason: 'SlotFailed', message: problem };
  if (notes.refusal !== undefined) return { status: 'False', reason: 'SlotRefused', message: notes.refusal };
  return free >= wanted
    ? { status: 'True', reason: 'Filled', message: 'as many slots are free as are wanted' }
    : { status: 'False', reason: 'Filling', message: 'slots are being built' };
}
