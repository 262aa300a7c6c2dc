// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '@agenttier/crds/meta/violation';

function identity(violation: Violation): string {
  const { code, field, actual, message } = violation;
  return JSON.stringify([code, field, actual ?? message]);
}

/**
 * The violations of `after` that were not there before with the same value: an update answers for what it changes,
 * not for what was stored before a rule existed.
 */
export function newViolations(after: readonly Violation[], before: readonly Violation[]): Violation[] {
  const known = new Set(before.map(identity));
  return after.filter((violation) => !known.has(identity(violation)));
}
