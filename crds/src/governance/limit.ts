// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Quantity } from '../generated/types.ts';
import { parseQuantity } from '../meta/quantity.ts';
import type { Violation } from '../meta/violation.ts';
import type { Bound } from './effective.ts';
import type { PolicyInput } from './check.ts';

/**
 * A maximum of CPU or memory for one sandbox. Containers run side by side, so their limits add up; a container without
 * a limit could take the whole node, and so there is no sum without it.
 */
export function checkLimit(
  { resolved }: PolicyInput,
  resource: 'cpu' | 'memory',
  bound: Bound<string> | undefined,
): Violation[] {
  if (bound === undefined) return [];
  const containers = containersOf(resolved.spec ?? {}, resource);
  const common = { limit: bound.value, scope: bound.scope } as const;
  const missing = containers.filter(
    ({ amount }) => amount === undefined || parseQuantity(amount) === undefined,
  );
  if (missing.length > 0) {
    return missing.map(({ field }) => ({
      code: `${resource}_limit_missing` as const,
      field,
      message: `${field} is required: the ${bound.scope} policy allows ${bound.value} at most`,
      ...common,
    }));
  }
  const sum = containers.reduce((total, { amount }) => total + (parseQuantity(amount ?? '') ?? 0n), 0n);
  if (sum <= (parseQuantity(bound.value) ?? 0n)) return [];
  const actual = containers.map(({ amount }) => String(amount)).join(' + ');
  const field = `spec.resources.limits.${resource}`;
  const message = `${field} is ${actual}, the ${bound.scope} policy allows ${bound.value} at most`;
  return [{ code: `${resource}_limit_exceeded`, field, message, actual, ...common }];
}

function containersOf(
  spec: EffectiveSpec,
  resource: 'cpu' | 'memory',
): { field: string; amount: Quantity | undefined }[] {
  const main = { field: `spec.resources.limits.${resource}`, amount: spec.resources?.limits?.[resource] };
  const sidecars = (spec.sidecars ?? []).map((container, i) => ({
    field: `spec.sidecars[${i}].resources.limits.${resource}`,
    amount: container.resources?.limits?.[resource],
  }));
  return [main, ...sidecars];
}
