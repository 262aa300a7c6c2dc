// SPDX-License-Identifier: Apache-2.0
import type { PolicySpec } from '../generated/types.ts';
import { parseDuration } from '../meta/duration.ts';
import { compareQuantity, parseQuantity } from '../meta/quantity.ts';

export type PolicyScope = 'cluster' | 'namespace';

/** A limit together with the policy that set it. */
export interface Bound<T> {
  readonly value: T;
  readonly scope: PolicyScope;
}

/**
 * What the policies of cluster and namespace come to. Amounts are the smaller one; of lists and required values each
 * policy's own is kept, and all of them must be met: the intersection of two lists of patterns is not a list.
 */
export interface EffectivePolicy {
  readonly maxCpu?: Bound<string>;
  readonly maxMemory?: Bound<string>;
  readonly maxStorage?: Bound<string>;
  readonly maxTimeout?: Bound<string>;
  readonly maxIdleTimeout?: Bound<string>;
  readonly maxInvokeTimeout?: Bound<string>;
  readonly maxConcurrentInvokesPerSandbox?: Bound<string>;
  /** Present only when the internet is forbidden. */
  readonly allowInternet?: Bound<false>;
  /** Present only when images must be named by digest. */
  readonly requireDigest?: Bound<true>;
  /** Present only when the lists of allowed templates hold for parents, too. */
  readonly checkChain?: Bound<true>;
  /** Present only when the hardening may be relaxed: unlike the others this one is a permission. */
  readonly allowRelaxedSecurity?: Bound<true>;
  readonly allowedTemplates: readonly Bound<readonly string[]>[];
  readonly approvedRegistries: readonly Bound<readonly string[]>[];
  readonly allowedAgentImages: readonly Bound<readonly string[]>[];
  readonly allowedStorageClasses: readonly Bound<readonly string[]>[];
  readonly allowedDomains: readonly Bound<readonly string[]>[];
  readonly requiredRuntimeClass: readonly Bound<string>[];
  readonly maxSidecars?: Bound<string>;
  readonly maxExposedPorts?: Bound<string>;
  /** These two grant: what they list may be used although nothing else allows it. */
  readonly allowedSecrets: readonly Bound<readonly string[]>[];
  readonly allowedServiceAccounts: readonly Bound<readonly string[]>[];
  /** Grants, too, and only with the word of the cluster: what a cloud role may do ends at no namespace. */
  readonly allowedIdentities: readonly Bound<readonly string[]>[];
}

export const NO_POLICY: EffectivePolicy = {
  allowedTemplates: [],
  approvedRegistries: [],
  allowedAgentImages: [],
  allowedStorageClasses: [],
  allowedDomains: [],
  requiredRuntimeClass: [],
  allowedSecrets: [],
  allowedServiceAccounts: [],
  allowedIdentities: [],
};

type Field = keyof EffectivePolicy;

/** Fields that are true or false; the internet is limited by false, the others by true. */
const SWITCHES: ReadonlySet<Field> = new Set(['allowInternet', 'requireDigest', 'checkChain']);

const DURATIONS: ReadonlySet<Field> = new Set(['maxTimeout', 'maxIdleTimeout', 'maxInvokeTimeout']);

/**
 * Combines the policy of the cluster with that of the namespace: the namespace can only tighten, except in the
 * fields that the cluster lists in `delegated`, where its value replaces the cluster's when it has one. A value that
 * is absent, zero or empty sets no limit in either.
 */
export function effectivePolicy(cluster?: PolicySpec, namespace?: PolicySpec): EffectivePolicy {
  const both = (field: Field): Bound<unknown>[] => bounds(field, cluster, namespace);
  const amount = (field: Field, compare: (a: string, b: string) => number): Bound<string> | undefined =>
    (both(field) as Bound<string>[]).reduce<Bound<string> | undefined>(
      (least, next) => (least === undefined || compare(next.value, least.value) < 0 ? next : least),
      undefined,
    );
  return {
    ...present({
      maxCpu: amount('maxCpu', compareQuantity),
      maxMemory: amount('maxMemory', compareQuantity),
      maxStorage: amount('maxStorage', compareQuantity),
      maxSidecars: amount('maxSidecars', compareQuantity),
      maxExposedPorts: amount('maxExposedPorts', compareQuantity),
      maxTimeout: amount('maxTimeout', compareDuration),
      maxIdleTimeout: amount('maxIdleTimeout', compareDuration),
      maxInvokeTimeout: amount('maxInvokeTimeout', compareDuration),
      maxConcurrentInvokesPerSandbox: amount('maxConcurrentInvokesPerSandbox', compareQuantity),
      allowInternet: both('allowInternet')[0] as Bound<false> | undefined,
      requireDigest: both('requireDigest')[0] as Bound<true> | undefined,
      checkChain: both('checkChain')[0] as Bound<true> | undefined,
      allowRelaxedSecurity: permission('allowRelaxedSecurity', cluster, namespace),
    }),
    allowedTemplates: both('allowedTemplates') as Bound<readonly string[]>[],
    approvedRegistries: both('approvedRegistries') as Bound<readonly string[]>[],
    allowedAgentImages: both('allowedAgentImages') as Bound<readonly string[]>[],
    allowedStorageClasses: both('allowedStorageClasses') as Bound<readonly string[]>[],
    allowedDomains: both('allowedDomains') as Bound<readonly string[]>[],
    requiredRuntimeClass: both('requiredRuntimeClass') as Bound<string>[],
    allowedSecrets: both('allowedSecrets') as Bound<readonly string[]>[],
    allowedServiceAccounts: both('allowedServiceAccounts') as Bound<readonly string[]>[],
    allowedIdentities: granted('allowedIdentities', cluster)
      ? (both('allowedIdentities') as Bound<readonly string[]>[])
      : [],
  };
}

/**
 * A permission that nobody has until the policy of the cluster gives it, and that a namespace can only take back; where
 * the cluster delegates it, the namespace gives it.
 */
function permission(
  field: 'allowRelaxedSecurity',
  cluster?: PolicySpec,
  namespace?: PolicySpec,
): Bound<true> | undefined {
  const own = namespace?.[field];
  if (own !== undefined && cluster?.delegated?.includes(field) === true) {
    return own ? { value: true, scope: 'namespace' } : undefined;
  }
  return cluster?.[field] === true && own !== false ? { value: true, scope: 'cluster' } : undefined;
}

/** Whether the cluster grants something by the field, or leaves it to its namespaces. */
const granted = (field: 'allowedIdentities', cluster?: PolicySpec): boolean =>
  limitOf(field, cluster) !== undefined || cluster?.delegated?.includes(field) === true;

/** The limits that hold for one field, the cluster's first. */
function bounds(field: Field, cluster?: PolicySpec, namespace?: PolicySpec): Bound<unknown>[] {
  const outer = limitOf(field, cluster);
  const inner = limitOf(field, namespace);
  const delegated = cluster?.delegated?.includes(field) === true && isSet(field, namespace);
  const out: Bound<unknown>[] = [];
  if (outer !== undefined && !delegated) out.push({ value: outer, scope: 'cluster' });
  if (inner !== undefined) out.push({ value: inner, scope: 'namespace' });
  return out;
}

/** The value of a field when it is a limit at all, quantities as text. */
function limitOf(field: Field, policy?: PolicySpec): unknown {
  const value = policy?.[field];
  if (SWITCHES.has(field)) return value === (field !== 'allowInternet') ? value : undefined;
  if (value === undefined || value === '' || value === null) return undefined;
  if (Array.isArray(value)) return value.length > 0 ? value : undefined;
  return isZero(field, value as string | number) ? undefined : String(value);
}

/** Whether the policy says something about the field; a switch left at no limit is something, an empty list not. */
function isSet(field: Field, policy?: PolicySpec): boolean {
  return SWITCHES.has(field) ? policy?.[field] !== undefined : limitOf(field, policy) !== undefined;
}

function isZero(field: Field, value: string | number): boolean {
  if (DURATIONS.has(field)) return parseDuration(String(value)) === 0;
  if (field === 'requiredRuntimeClass') return false;
  return parseQuantity(value) === 0n;
}

function compareDuration(a: string, b: string): number {
  return (parseDuration(a) ?? Infinity) - (parseDuration(b) ?? Infinity);
}

/** The members that are not undefined. */
function present<T extends object>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
