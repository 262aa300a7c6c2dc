// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Quantity } from '../generated/types.ts';
import { parseQuantity } from '../meta/quantity.ts';
import type { Violation } from '../meta/violation.ts';
import type { Bound } from './effective.ts';
import type { PolicyInput } from './check.ts';

/**
 * A maximum of CPU or memory for one sandbox. Containers run side by side, so their limits add up (init containers
 * run before, each alone); a container without a limit could take the whole node, and so there is no sum without it.
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
  const together = containers.filter(({ alone }) => !alone);
  const sum = together.reduce((total, { amount }) => total + milli(amount), 0n);
  const limit = milli(bound.value);
  const single = containers.find(({ alone, amount }) => alone && milli(amount) > limit);
  if (sum <= limit && single === undefined) return [];
  const tooMuch = sum > limit ? together : [single as Counted];
  const actual = tooMuch.map(({ amount }) => String(amount)).join(' + ');
  const field = tooMuch[0]?.field ?? `spec.resources.limits.${resource}`;
  const message = `${field} is ${actual}, the ${bound.scope} policy allows ${bound.value} at most`;
  return [{ code: `${resource}_limit_exceeded`, field, message, actual, ...common }];
}

interface Counted {
  readonly field: string;
  readonly amount: Quantity | undefined;
  /** Runs before the others, not beside them, and so is no part of their sum. */
  readonly alone: boolean;
}

const milli = (amount: Quantity | undefined): bigint => parseQuantity(amount ?? '') ?? 0n;

function containersOf(spec: EffectiveSpec, resource: 'cpu' | 'memory'): Counted[] {
  const amount = spec.resources?.limits?.[resource];
  const main = { field: `spec.resources.limits.${resource}`, amount, alone: false };
  const others = (['sidecars', 'initContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, i) => ({
      field: `spec.${list}[${i}].resources.limits.${resource}`,
      amount: container.resources?.limits?.[resource],
      alone: list === 'initContainers',
    })),
  );
  return [main, ...others];
}
