// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';
import { checkLimit } from '../limit.ts';

/** maxCpu: the CPU limits of all containers together stay under it, and every container has one. */
export function checkCpu(input: PolicyInput): Violation[] {
  return checkLimit(input, 'cpu', input.policy.maxCpu);
}
