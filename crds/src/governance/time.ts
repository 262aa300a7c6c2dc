// SPDX-License-Identifier: Apache-2.0
import { parseDuration } from '../meta/duration.ts';
import type { Violation } from '../meta/violation.ts';
import type { Bound } from './effective.ts';

/**
 * A maximum for one of the two times. A time that is left open was already clamped by the merge; when it is open all
 * the same, the merge did not see this policy, and no limit is more than any limit.
 */
export function checkTime(
  field: 'timeout' | 'idleTimeout',
  value: string | undefined,
  bound: Bound<string> | undefined,
): Violation[] {
  if (bound === undefined) return [];
  const asked = value === undefined ? 0 : (parseDuration(value) ?? 0);
  if (asked > 0 && asked <= (parseDuration(bound.value) ?? 0)) return [];
  const actual = asked === 0 ? 'unlimited' : (value ?? '');
  const code = field === 'timeout' ? 'timeout_exceeded' : 'idle_timeout_exceeded';
  const message = `spec.${field} is ${actual}, the ${bound.scope} policy allows ${bound.value} at most`;
  return [{ code, field: `spec.${field}`, message, limit: bound.value, actual, scope: bound.scope }];
}
