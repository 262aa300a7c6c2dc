// SPDX-License-Identifier: Apache-2.0
import type { Resolved, SandboxSpec } from '../generated/types.ts';
import type { Violation } from '../meta/violation.ts';
import type { EffectivePolicy } from './effective.ts';

/** What a check may look at. Checks judge `resolved`; `spec` is only for what is no part of the merge. */
export interface PolicyInput {
  /** Namespace of the sandbox. */
  readonly namespace: string;
  readonly spec: SandboxSpec;
  readonly resolved: Resolved;
  readonly policy: EffectivePolicy;
}

/** One limit: all the ways in which the input breaks it, none when it does not. */
export type PolicyCheck = (input: PolicyInput) => readonly Violation[];
