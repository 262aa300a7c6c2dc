// SPDX-License-Identifier: Apache-2.0
import { parseQuantity } from '../../meta/quantity.ts';
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';

const FIELD = 'spec.storage.size';

/** maxStorage: the volume is no larger. */
export function checkStorage({ policy, resolved }: PolicyInput): Violation[] {
  const bound = policy.maxStorage;
  const size = resolved.spec?.storage?.size;
  if (bound === undefined || size === undefined) return [];
  const amount = parseQuantity(size);
  if (amount !== undefined && amount <= (parseQuantity(bound.value) ?? 0n)) return [];
  const message = `${FIELD} is ${size}, the ${bound.scope} policy allows ${bound.value} at most`;
  return [
    {
      code: 'storage_limit_exceeded',
      field: FIELD,
      message,
      limit: bound.value,
      actual: String(size),
      scope: bound.scope,
    },
  ];
}
