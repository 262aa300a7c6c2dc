// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';
import { checkTime } from '../time.ts';

/** maxTimeout: the run time is bounded and no longer. */
export function checkTimeout({ policy, resolved }: PolicyInput): Violation[] {
  return checkTime('timeout', resolved.spec?.timeout, policy.maxTimeout);
}
