// SPDX-License-Identifier: Apache-2.0
import type { OwnedKind, Refusal, SandboxState } from '../sandbox/state.ts';

/** The refusal that still keeps a kind from being written, if any. A new generation is a new attempt. */
export function blockOf(state: SandboxState, kind: OwnedKind, now: number): Refusal | undefined {
  const refusal = state.observations.refusals.get(kind);
  const current = refusal?.generation === (state.sandbox.metadata.generation ?? 0);
  return refusal !== undefined && current && refusal.retryAt > now ? refusal : undefined;
}

export interface DriftOptions {
  readonly now: number;
  /** Make what is missing; otherwise only what exists is kept right. */
  readonly create: boolean;
}
