// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import { coversMetadata, parseCidr } from '../meta/cidr.ts';
import type { Violation } from '../meta/violation.ts';
import type { PolicyInput } from './check.ts';
import { CHECKS } from './policies.ts';

export interface Verdict {
  readonly violations: readonly Violation[];
  /** What is not refused but will not work as it reads; at most 120 characters each. */
  readonly warnings: readonly string[];
}

/** Runs every check on the effective spec, so that a person sees all that is wrong at once. */
export function evaluate(input: PolicyInput): Verdict {
  return {
    violations: CHECKS.flatMap((check) => check(input)),
    warnings: networkWarnings(input.resolved.spec?.network),
  };
}

function networkWarnings(network: EffectiveSpec['network']): string[] {
  return (network?.egressRules ?? []).flatMap(({ cidr }, i) => {
    const range = parseCidr(cidr ?? '');
    if (range === undefined || !coversMetadata(range)) return [];
    return [
      `spec.network.egressRules[${i}].cidr covers metadata services of clouds; their addresses stay closed`,
    ];
  });
}
