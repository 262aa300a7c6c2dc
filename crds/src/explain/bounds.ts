// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '../generated/types.ts';
import type { Bound, EffectivePolicy, PolicyScope } from '../governance/effective.ts';
import { parseQuantity } from '../meta/quantity.ts';
import { durationLeft, quantityLeft } from './amount.ts';
import type { ExplainedField } from './fields.ts';

/** A limit of a policy on one field. */
export interface FieldBound {
  /** Field of the policy that sets it, such as `maxCpu`. */
  readonly policy: string;
  readonly scope: PolicyScope;
  readonly limit: string;
  /** Limit minus value, negative when the value is over it; only where both are amounts. */
  readonly headroom?: string;
}

export interface BoundField extends ExplainedField {
  /** All that must be met, the cluster's first; empty when no policy says anything about the field. */
  readonly bounds: readonly FieldBound[];
}

interface BoundRule {
  /** Path of the effective spec; items of a list below it count too. */
  readonly field: string;
  readonly policy: string;
  /** How what is left is worked out; absent where nothing can be subtracted. */
  readonly left?: (limit: string, spec: EffectiveSpec) => string | undefined;
  /** The limit is for sandboxes of this mode only. */
  readonly mode?: 'agent';
  /** Show the field even where it is not set: the limit demands a value. */
  readonly demanded?: boolean;
}

const limitsOf =
  (resource: 'cpu' | 'memory') =>
  (limit: string, spec: EffectiveSpec): string | undefined =>
    quantityLeft(limit, sumOf(spec, resource));

/** Which field of a policy bounds which field of a sandbox. */
const RULES: readonly BoundRule[] = [
  { field: 'templateRef.name', policy: 'allowedTemplates' },
  { field: 'image.repository', policy: 'approvedRegistries' },
  { field: 'image.repository', policy: 'requireDigest' },
  { field: 'image.repository', policy: 'allowedAgentImages', mode: 'agent' },
  { field: 'resources.limits.cpu', policy: 'maxCpu', left: limitsOf('cpu'), demanded: true },
  { field: 'resources.limits.memory', policy: 'maxMemory', left: limitsOf('memory'), demanded: true },
  {
    field: 'storage.size',
    policy: 'maxStorage',
    left: (limit, { storage }) =>
      storage?.size === undefined ? undefined : quantityLeft(limit, storage.size),
  },
  { field: 'storage.storageClass', policy: 'allowedStorageClasses', demanded: true },
  { field: 'network.allowInternet', policy: 'allowInternet' },
  { field: 'network.egressRules', policy: 'allowInternet' },
  { field: 'network.allowedDomains', policy: 'allowInternet' },
  { field: 'network.allowedDomains', policy: 'allowedDomains' },
  {
    field: 'timeout',
    policy: 'maxTimeout',
    left: (limit, { timeout }) => durationLeft(limit, timeout),
    demanded: true,
  },
  {
    field: 'idleTimeout',
    policy: 'maxIdleTimeout',
    left: (limit, { idleTimeout }) => durationLeft(limit, idleTimeout),
    demanded: true,
  },
  { field: 'runtimeClass', policy: 'requiredRuntimeClass', demanded: true },
  { field: 'serviceAccount', policy: 'allowedServiceAccounts' },
  { field: 'identity', policy: 'allowedIdentities' },
  { field: 'security.privileged', policy: 'allowRelaxedSecurity' },
  { field: 'credentials', policy: 'allowedSecrets' },
  { field: 'sidecars', policy: 'approvedRegistries' },
  {
    field: 'sidecars',
    policy: 'maxSidecars',
    left: (limit, { sidecars = [] }) => quantityLeft(limit, BigInt(sidecars.length) * 1000n),
  },
  { field: 'initContainers', policy: 'approvedRegistries' },
  { field: 'harness.agent.maxConcurrentInvokes', policy: 'maxConcurrentInvokesPerSandbox', mode: 'agent' },
  { field: 'harness.agent.defaultInvokeTimeout', policy: 'maxInvokeTimeout', mode: 'agent' },
];

/** Adds to each field the limits that hold for it, and lists the fields that a policy demands although they are not set. */
export function boundFields(
  fields: readonly ExplainedField[],
  spec: EffectiveSpec,
  policy: EffectivePolicy,
): BoundField[] {
  const bound = fields.map((field) => ({ ...field, bounds: boundsOn(field.field, spec, policy) }));
  const missing = RULES.filter(
    (rule) => rule.demanded === true && !fields.some(({ field }) => field === rule.field),
  )
    .map(({ field }) => ({ field, origin: 'not set', bounds: boundsOn(field, spec, policy) }))
    .filter(({ bounds }) => bounds.length > 0);
  return [...bound, ...missing];
}

function boundsOn(field: string, spec: EffectiveSpec, policy: EffectivePolicy): FieldBound[] {
  const base = field.replace(/\[.*$/s, '');
  const holds = ({ mode }: BoundRule): boolean => mode === undefined || mode === spec.mode;
  return RULES.filter((rule) => (rule.field === field || rule.field === base) && holds(rule)).flatMap(
    (rule) =>
      boundsIn(policy, rule.policy).map(({ value, scope }) => {
        const limit = Array.isArray(value) ? value.join(', ') : String(value);
        const headroom = rule.left?.(limit, spec);
        return { policy: rule.policy, scope, limit, ...(headroom === undefined ? {} : { headroom }) };
      }),
  );
}

/** The limits under a field of the effective policy; none for a field that it does not know. */
export function boundsIn(policy: EffectivePolicy, field: string): Bound<unknown>[] {
  const found = (policy as unknown as Readonly<Record<string, unknown>>)[field];
  return (Array.isArray(found) ? found : [found]).filter(isBound);
}

export function isBound(value: unknown): value is Bound<unknown> {
  return typeof value === 'object' && value !== null && 'value' in value && 'scope' in value;
}

/** What all containers may take together, in thousandths: that is what the policy's maximum is about. */
function sumOf(spec: EffectiveSpec, resource: 'cpu' | 'memory'): bigint {
  const limits = [spec.resources?.limits, ...(spec.sidecars ?? []).map(({ resources }) => resources?.limits)];
  return limits.reduce((total, limit) => total + (parseQuantity(limit?.[resource] ?? '') ?? 0n), 0n);
}
