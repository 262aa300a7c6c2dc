// SPDX-License-Identifier: Apache-2.0
import type { PolicySpec } from '@agenttier/crds/generated/types';
import { equalJson } from '@agenttier/crds/meta/canonical';
import { parseDuration } from '@agenttier/crds/meta/duration';
import { parseQuantity } from '@agenttier/crds/meta/quantity';
import type { Violation } from '@agenttier/crds/meta/violation';
import { unsupportedFields } from '@agenttier/crds/template/unsupported';
import { newViolations } from '../ratchet.ts';
import { ALLOW } from '../review.ts';
import type { Handler } from '../review.ts';

type PolicyKind = 'ClusterGovernancePolicy' | 'GovernancePolicy';

const QUANTITIES = ['maxCpu', 'maxMemory', 'maxStorage'] as const;
const TOTALS = ['cpu', 'memory', 'storage'] as const;
const DURATIONS = ['maxTimeout', 'maxIdleTimeout', 'maxInvokeTimeout'] as const;
const LISTS = [
  'allowedTemplates',
  'approvedRegistries',
  'allowedAgentImages',
  'allowedStorageClasses',
] as const;

function invalid(field: string, message: string): Violation {
  return { code: 'invalid_value', field: `spec.${field}`, message };
}

/** The schema's pattern lets exponents through that no amount can have; one such limit would stop all admission. */
function quantityViolations(spec: PolicySpec): Violation[] {
  const amounts = [
    ...QUANTITIES.map((field) => [field, spec[field]] as const),
    ...TOTALS.map((resource) => [`total.${resource}`, spec.total?.[resource]] as const),
  ];
  return amounts.flatMap(([field, value]) => {
    if (value === undefined) return [];
    const amount = parseQuantity(value);
    const ok = amount !== undefined && amount >= 0n;
    return ok
      ? []
      : [invalid(field, `${JSON.stringify(value)} is not an amount; write one such as 500m, 2 or 4Gi`)];
  });
}

function durationViolations(spec: PolicySpec): Violation[] {
  return DURATIONS.flatMap((field) => {
    const value = spec[field];
    const ok = value === undefined || parseDuration(value) !== undefined;
    return ok
      ? []
      : [invalid(field, `${JSON.stringify(value)} is not a duration; write one such as 30m or 8h`)];
  });
}

function listViolations(spec: PolicySpec): Violation[] {
  return LISTS.flatMap((field) =>
    (spec[field] ?? []).flatMap((entry, i) =>
      entry !== '' && entry === entry.trim()
        ? []
        : [invalid(`${field}[${i}]`, 'must not be empty or have spaces around it, it would never match')],
    ),
  );
}

/** An entry names where images are; which of them is said by its content is for requireDigest. */
function registryViolations(spec: PolicySpec): Violation[] {
  const message = 'must not have a digest, it would never match; see requireDigest';
  return (['approvedRegistries', 'allowedAgentImages'] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap((entry, i) =>
      entry.includes('@') ? [invalid(`${list}[${i}]`, message)] : [],
    ),
  );
}

/** Only the policy of the cluster has something to hand down. */
function delegationViolations(kind: PolicyKind, spec: PolicySpec): Violation[] {
  return kind === 'GovernancePolicy' && (spec.delegated?.length ?? 0) > 0
    ? [invalid('delegated', 'is for the ClusterGovernancePolicy; a namespace has nothing to delegate')]
    : [];
}

/** Everything that speaks against a policy, all at once. */
export function validatePolicy(kind: PolicyKind, spec: PolicySpec): Violation[] {
  return [
    ...unsupportedFields(kind, spec),
    ...quantityViolations(spec),
    ...durationViolations(spec),
    ...listViolations(spec),
    ...registryViolations(spec),
    ...delegationViolations(kind, spec),
  ];
}

/** Judges what an update changes; see `newViolations`. */
export function validatePolicyUpdate(kind: PolicyKind, spec: PolicySpec, old: PolicySpec): Violation[] {
  return equalJson(spec, old) ? [] : newViolations(validatePolicy(kind, spec), validatePolicy(kind, old));
}

function specOf(object: unknown): PolicySpec {
  return (object as { readonly spec?: PolicySpec } | null | undefined)?.spec ?? {};
}

/** `/validate/policies`, for both kinds. */
export const validatePolicies: Handler = ({ operation, kind, object, oldObject }) => {
  if (operation === 'DELETE') return ALLOW;
  const policyKind = kind.kind as PolicyKind;
  const violations =
    operation === 'UPDATE'
      ? validatePolicyUpdate(policyKind, specOf(object), specOf(oldObject))
      : validatePolicy(policyKind, specOf(object));
  return { violations };
};
