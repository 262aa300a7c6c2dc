// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, SandboxWarmPool } from '@agenttier/crds/generated/types';
import type { Pod } from '../core.ts';
import type { Fit } from './slot.ts';

export type SlotKind = 'free' | 'building' | 'failed' | 'draining';

/** An unclaimed slot whose pod is not on its way out. */
export interface SlotView {
  readonly pod: Pod;
  readonly kind: SlotKind;
  /** Built from something that no sandbox is made from any more. */
  readonly stale: boolean;
  /** Older than the pool's `maxAge`. */
  readonly aged: boolean;
  /** Milliseconds since the epoch. */
  readonly bornAt: number;
  /** Of a failed one: what is wrong. */
  readonly problem?: string;
}

/** What slots of the pool are made from, or why none can be made. */
export type Offer =
  | {
      readonly ok: true;
      readonly spec: EffectiveSpec;
      readonly template: string | undefined;
      readonly fit: Fit;
    }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly message: string;
      /** It cannot be told for the moment. */
      readonly undecided?: boolean;
    };

/** What the leader remembers of a pool; all of it may be lost. */
export interface PoolNotes {
  /** Slots being made, whose pods may not exist yet. */
  readonly inFlight: number;
  /** Nothing is built before this time, after failures in a row. */
  readonly retryAt: number;
  /** The refusal that stopped the last build. */
  readonly refusal?: string | undefined;
  readonly claimed: number;
  readonly missed: number;
}

/** Everything that a decision about one pool needs. Without `pool` it has been deleted. */
export interface PoolState {
  readonly pool?: SandboxWarmPool | undefined;
  readonly offer: Offer;
  readonly slots: readonly SlotView[];
  /** Names of slots whose pods are gone and whose other objects are left. */
  readonly leftovers: readonly string[];
  /** Free slots to keep. */
  readonly wanted: number;
  /** Slots that may be under construction in all pools together, beside those of this one. */
  readonly room: number;
  readonly notes: PoolNotes;
}
