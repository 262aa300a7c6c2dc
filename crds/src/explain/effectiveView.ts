// SPDX-License-Identifier: Apache-2.0
import type { PolicySpec } from '../generated/types.ts';
import type { EffectivePolicy, PolicyScope } from '../governance/effective.ts';
import { isBound } from './bounds.ts';

/** One limit in force, and the policy that set it. */
export interface EffectiveLimit {
  /** Path below the policy's spec, such as `maxCpu` or `total.cpu`. */
  readonly field: string;
  readonly value: unknown;
  readonly scope: PolicyScope;
}

export interface EffectiveView {
  readonly namespace: string;
  /**
   * The limits as one policy, for clients that know only that. Where both policies have a list, it holds the namespace's;
   * `fields` has both, and both must be met.
   */
  readonly policy: Readonly<Record<string, unknown>>;
  readonly fields: readonly EffectiveLimit[];
}

/** Counted over their own scope, so that those of cluster and namespace hold side by side. */
const COUNTED = ['maxSandboxesPerUser', 'maxSandboxesTotal', 'maxAgentSandboxes'] as const;

/** The combined policy of a namespace with the scope of every field. */
export function effectiveView(
  namespace: string,
  effective: EffectivePolicy,
  specs: { readonly cluster?: PolicySpec | undefined; readonly local?: PolicySpec | undefined },
): EffectiveView {
  const combined = Object.entries(effective).flatMap(([field, value]) => limitsIn(field, value));
  const known = new Set(combined.map(({ field }) => field));
  const counted = [...countedIn(specs.cluster, 'cluster'), ...countedIn(specs.local, 'namespace')].filter(
    ({ field }) => !known.has(field),
  );
  const fields = [...combined, ...counted];
  return { namespace, policy: flat(fields), fields };
}

/** Numbers in a policy, although they are compared as the amounts are. */
const NUMBERS: ReadonlySet<string> = new Set(['maxSidecars', 'maxConcurrentInvokesPerSandbox']);

const plain = (field: string, value: unknown): unknown => (NUMBERS.has(field) ? Number(value) : value);

function limitsIn(field: string, value: unknown): EffectiveLimit[] {
  if (isBound(value)) return [{ field, value: plain(field, value.value), scope: value.scope }];
  if (Array.isArray(value)) return value.flatMap((item) => limitsIn(field, item));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => limitsIn(`${field}.${key}`, inner));
}

function countedIn(spec: PolicySpec | undefined, scope: PolicyScope): EffectiveLimit[] {
  const counts = COUNTED.map((field) => ({ field, value: spec?.[field], scope }));
  const sums = Object.entries(spec?.total ?? {}).map(([key, value]) => ({
    field: `total.${key}`,
    value: value as unknown,
    scope,
  }));
  return [...counts, ...sums].filter(({ value }) => value !== undefined && value !== 0 && value !== '0');
}

function flat(fields: readonly EffectiveLimit[]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const { field, value } of fields) {
    const [head = field, key] = field.split('.');
    out[head] = key === undefined ? value : { ...(out[head] as object | undefined), [key]: value };
  }
  return out;
}
