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

/**
 * Bounds what one agent sandbox may run at once and how long each invocation may take. Other than run times these are
 * lowered even where somebody chose them: a template that allows more than the policy still serves, only less.
 */
export function clampAgent(
  { spec, origins, warnings }: Clamped,
  policy: EffectivePolicy | undefined,
): Clamped {
  if (spec.mode !== 'agent') return { spec, origins, warnings };
  const { maxConcurrentInvokes: most = 0, defaultInvokeTimeout } = spec.harness?.agent ?? {};
  const limits: AgentLimit[] = [];
  const { maxConcurrentInvokesPerSandbox: cap, maxInvokeTimeout: time } = policy ?? {};
  if (cap !== undefined && (most === 0 || most > Number(cap.value))) {
    limits.push({
      field: 'maxConcurrentInvokes',
      was: most === 0 ? 'not limited' : most,
      bound: cap,
      value: Number(cap.value),
    });
  }
  if (time !== undefined && timeOf(defaultInvokeTimeout) > timeOf(time.value)) {
    limits.push({
      field: 'defaultInvokeTimeout',
      was: defaultInvokeTimeout ?? INVOKE_TIMEOUT,
      bound: time,
      value: time.value,
    });
  }
  return limits.reduce(lowered, { spec, origins, warnings });
}

interface AgentLimit {
  readonly field: 'maxConcurrentInvokes' | 'defaultInvokeTimeout';
  readonly was: string | number;
  readonly bound: Bound<string>;
  readonly value: string | number;
}

function lowered({ spec, origins, warnings }: Clamped, { field, was, bound, value }: AgentLimit): Clamped {
  const path = `harness.agent.${field}`;
  const agent = { ...spec.harness?.agent, [field]: value };
  const warning = `spec.${path} was ${was} and is now ${bound.value}, the maximum of the ${bound.scope} policy`;
  return {
    spec: { ...spec, harness: { ...spec.harness, agent } },
    origins: { ...origins, [path]: 'policy' },
    warnings: [...warnings, warning],
  };
}

/** Of an invocation where nobody says anything. */
export const INVOKE_TIMEOUT = '30m';

/** Zero and absent mean the usual time here, not none: an invocation always ends. */
const timeOf = (value: string | undefined): number =>
  parseDuration(value ?? '') || (parseDuration(INVOKE_TIMEOUT) ?? 0);

function isOpen(value: string | undefined, origin: string | undefined, maximum: string): boolean {
  const asked = value === undefined ? 0 : (parseDuration(value) ?? 0);
  return asked === 0 || (origin === 'default' && asked > (parseDuration(maximum) ?? Infinity));
}

function warningFor(field: string, value: string | undefined, bound: Bound<string>): string {
  const was = value === undefined ? 'not set' : value === '0' ? 'unlimited' : value;
  return `spec.${field} was ${was} and is now ${bound.value}, the maximum of the ${bound.scope} policy`;
}
