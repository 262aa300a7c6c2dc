// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import { withoutMemory } from '../../template/memory.ts';
import type { PolicyInput } from '../check.ts';

/** maxSidecars: no more containers run beside the main one. */
export function checkSidecars({ policy, resolved }: PolicyInput): Violation[] {
  const bound = policy.maxSidecars;
  // The one that the installation adds is nobody's choice here.
  const actual = withoutMemory(resolved).sidecars?.length ?? 0;
  if (bound === undefined || actual <= Number(bound.value)) return [];
  const field = 'spec.sidecars';
  const message = `${field} has ${actual}, the ${bound.scope} policy allows ${bound.value} at most`;
  return [{ code: 'sidecars_exceeded', field, message, limit: bound.value, actual, scope: bound.scope }];
}
