// SPDX-License-Identifier: Apache-2.0
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import type { Phase } from '@agenttier/crds/lifecycle/phase';
import type { EventNote, Tally } from './actions.ts';
import type { Finding } from './finding.ts';
import type { Hold } from './hold.ts';

/** Fields that a transition sets; `undefined` takes a field away. */
export type StatusChanges = {
  readonly [F in
    | 'startedAt'
    | 'lastActivityTimestamp'
    | 'lastFailureAt'
    | 'restartCount'
    | 'startup'
    | 'harness'
    | 'pvcName'
    | 'agentConfigure']?: SandboxStatus[F] | undefined;
};

/** What a decision says about the sandbox; conditions follow from it and the state, and the stored phase from those. */
export interface Outcome {
  readonly phase: Phase;
  readonly reason: string;
  readonly message: string;
  /** The condition PodReady. */
  readonly pod: Finding;
  readonly hold?: Hold | undefined;
  /** The condition IdleWarning, while a stop is near. */
  readonly warning?: Finding | undefined;
  /** The condition Configured. */
  readonly configured?: Finding | undefined;
  /** The condition ResizePending, while the pod differs from the spec. */
  readonly resize?: Finding | undefined;
  readonly changes?: StatusChanges | undefined;
  readonly events?: readonly EventNote[] | undefined;
  readonly tallies?: readonly Tally[] | undefined;
}
