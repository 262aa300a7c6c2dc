// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';

/** maxExposedPorts: no more ports are offered outside. They are no part of the merge: a template offers none. */
export function checkPorts({ policy, spec }: PolicyInput): Violation[] {
  const bound = policy.maxExposedPorts;
  const actual = spec.ports?.length ?? 0;
  if (bound === undefined || actual <= Number(bound.value)) return [];
  const field = 'spec.ports';
  const message = `${field} has ${actual}, the ${bound.scope} policy allows ${bound.value} at most`;
  return [{ code: 'exposed_ports_exceeded', field, message, limit: bound.value, actual, scope: bound.scope }];
}
