// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';

/**
 * Sidecars and init containers have limits even where no policy sets a maximum: the installation's defaults are for the
 * main container only, and one without a limit could take the whole node. Where there is a maximum, that check says so.
 */
export function checkBounded({ policy, resolved }: PolicyInput): Violation[] {
  return (['initContainers', 'sidecars'] as const).flatMap((list) =>
    (resolved.spec?.[list] ?? []).flatMap(({ name, resources }, i) =>
      (['cpu', 'memory'] as const).flatMap((resource): Violation[] => {
        const bound = resource === 'cpu' ? policy.maxCpu : policy.maxMemory;
        if (bound !== undefined || resources?.limits?.[resource] !== undefined) return [];
        const field = `spec.${list}[${i}].resources.limits.${resource}`;
        const message = `${field} is required: container ${name} could take the whole node without it`;
        return [{ code: `${resource}_limit_missing` as const, field, message }];
      }),
    ),
  );
}
