// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';
import { checkTime } from '../time.ts';

/** maxIdleTimeout: the idle time is bounded and no longer. */
export function checkIdleTimeout({ policy, resolved }: PolicyInput): Violation[] {
  return checkTime('idleTimeout', resolved.spec?.idleTimeout, policy.maxIdleTimeout);
}
