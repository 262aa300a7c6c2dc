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
export function clampAgent(clamped: Clamped, policy: EffectivePolicy | undefined): Clamped {
  if (clamped.spec.mode !== 'agent') return clamped;
  const agent = clamped.spec.harness?.agent ?? {};
  const limits = [concurrencyLimit(agent, policy), timeLimit(agent, policy)];
  return limits.filter((limit) => limit !== undefined).reduce(lowered, clamped);
}

type AgentBlock = NonNullable<NonNullable<EffectiveSpec['harness']>['agent']>;

function concurrencyLimit(
  { maxConcurrentInvokes: asked = 0 }: AgentBlock,
  policy: EffectivePolicy | undefined,
): AgentLimit | undefined {
  const bound = policy?.maxConcurrentInvokesPerSandbox;
  if (bound === undefined || (asked > 0 && asked <= Number(bound.value))) return undefined;
  const was = asked === 0 ? 'not limited' : asked;
  return { field: 'maxConcurrentInvokes', was, bound, value: Number(bound.value) };
}

function timeLimit(
  { defaultInvokeTimeout: asked }: AgentBlock,
  policy: EffectivePolicy | undefined,
): AgentLimit | undefined {
  const bound = policy?.maxInvokeTimeout;
  if (bound === undefined || timeOf(asked) <= timeOf(bound.value)) return undefined;
  return { field: 'defaultInvokeTimeout', was: asked ?? INVOKE_TIMEOUT, bound, value: bound.value };
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
