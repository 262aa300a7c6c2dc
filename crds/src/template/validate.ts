// SPDX-License-Identifier: Apache-2.0
import type { TemplateSpec } from '../generated/types.ts';
import type { Violation } from '../meta/violation.ts';
import { workloadViolations } from '../sandbox/workload.ts';
import { composeChain, type TemplateKey, type TemplateKind, type TemplateLookup } from './compose.ts';
import { unsupportedFields } from './unsupported.ts';

/** A template as admission sees it, before it is stored. */
export interface ProposedTemplate {
  readonly kind: TemplateKind;
  readonly metadata: { readonly name?: string; readonly namespace?: string };
  readonly spec: TemplateSpec;
}

export interface TemplateVerdict {
  readonly violations: readonly Violation[];
  /** Parents that were not found; a caller whose cache may be behind reads them and asks again. */
  readonly missing: readonly TemplateKey[];
}

/**
 * Everything that is wrong with a template in itself and with its chain of parents. `lookup` answers for the other
 * templates; the proposed one stands for itself, so a circle through it is seen before it exists.
 */
export function validateTemplate(template: ProposedTemplate, lookup: TemplateLookup): TemplateVerdict {
  const violations = [
    ...unsupportedFields(template.kind, template.spec),
    ...workloadViolations(template.spec),
  ];
  const chain = composeChain(keyOf(template), template.metadata.namespace ?? '', (key) =>
    isSame(key, template) ? { metadata: template.metadata, spec: openToItself(template.spec) } : lookup(key),
  );
  if (chain.ok) return { violations, missing: [] };
  const violation: Violation = { ...chain.violation, field: parentField(chain.violation) };
  return { violations: [...violations, violation], missing: chain.tried ?? [] };
}

/** Whom the template admits is not asked here: an author may write one for other namespaces only. */
function openToItself(spec: TemplateSpec): TemplateSpec {
  const { allowedNamespaces: _, ...rest } = spec;
  return rest;
}

function keyOf({ kind, metadata }: ProposedTemplate): TemplateKey {
  const { name = '', namespace } = metadata;
  return namespace === undefined || kind === 'ClusterSandboxTemplate'
    ? { kind, name }
    : { kind, name, namespace };
}

function isSame(key: TemplateKey, { kind, metadata }: ProposedTemplate): boolean {
  if (key.kind !== kind || key.name !== metadata.name) return false;
  return kind === 'ClusterSandboxTemplate' || key.namespace === metadata.namespace;
}

/** compose speaks of the field that a sandbox names its template in. */
function parentField(violation: Violation): string {
  return violation.field.replace(/^spec\.templateRef/, 'spec.inheritsFrom');
}
