// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../meta/violation.ts';
import type { PolicyInput } from './check.ts';
import { CHECKS } from './policies.ts';

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
}

/** Runs every check on the effective spec, so that a person sees all that is wrong at once. */
export function evaluate(input: PolicyInput): Verdict {
  return { violations: CHECKS.flatMap((check) => check(input)), warnings: [] };
}
