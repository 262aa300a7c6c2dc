// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import type { Bound, EffectivePolicy } from '../governance/effective.ts';
import { parseDuration } from '../meta/duration.ts';

interface Clamped {
  readonly spec: EffectiveSpec;
  readonly origins: Record<string, string>;
  readonly warnings: readonly string[];
}

const CLAMPED = [
  { field: 'timeout', limit: 'maxTimeout' },
  { field: 'idleTimeout', limit: 'maxIdleTimeout' },
] as const;

/**
 * Gives a run time and an idle time that nobody bounded the maximum of the policy: left out, "0" (no limit), or a
 * default of the installation that is too long. A time that a person or a template chose is never shortened: that is
 * for governance to refuse.
 */
export function clampTimes(
  spec: EffectiveSpec,
  origins: Readonly<Record<string, string>>,
  policy: EffectivePolicy | undefined,
): Clamped {
  let clamped: Clamped = { spec, origins: { ...origins }, warnings: [] };
  for (const { field, limit } of CLAMPED) {
    const bound = policy?.[limit];
    if (bound === undefined || !isOpen(spec[field], origins[field], bound.value)) continue;
    clamped = {
      spec: { ...clamped.spec, [field]: bound.value },
      origins: { ...clamped.origins, [field]: 'policy' },
      warnings: [...clamped.warnings, warningFor(field, spec[field], bound)],
    };
  }
  return clamped;
}

function isOpen(value: string | undefined, origin: string | undefined, maximum: string): boolean {
  const asked = value === undefined ? 0 : (parseDuration(value) ?? 0);
  return asked === 0 || (origin === 'default' && asked > (parseDuration(maximum) ?? Infinity));
}

function warningFor(field: string, value: string | undefined, bound: Bound<string>): string {
  const was = value === undefined ? 'not set' : value === '0' ? 'unlimited' : value;
  return `spec.${field} was ${was} and is now ${bound.value}, the maximum of the ${bound.scope} policy`;
}
