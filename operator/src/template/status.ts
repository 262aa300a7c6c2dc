// SPDX-License-Identifier: Apache-2.0
import type { TemplateSpec, TemplateStatus } from '@agenttier/crds/generated/types';
import { canonicalJson } from '@agenttier/crds/meta/canonical';
import { setCondition } from '@agenttier/crds/meta/conditions';
import { sha256Hex } from '@agenttier/crds/meta/hash';
import type { ViolationCode } from '@agenttier/crds/meta/violation';
import { composeChain } from '@agenttier/crds/template/compose';
import type { Composition, TemplateLookup, TemplateObject } from '@agenttier/crds/template/compose';
import { resolve } from '@agenttier/crds/template/merge';
import type { Condition } from '@agenttier/crds/meta/conditions';

export interface TemplateFacts {
  readonly lookup: TemplateLookup;
  /** Sandboxes that were made from it, directly or through a child. */
  readonly usedBy: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const REASONS: { readonly [code in ViolationCode]?: string } = {
  template_not_found: 'TemplateNotFound',
  template_cycle: 'CycleDetected',
  template_depth_exceeded: 'DepthExceeded',
  template_not_allowed: 'NotAllowed',
  invalid_value: 'KindUnknown',
};

/** What is to be seen of a template: what its chain comes to, or why it comes to nothing, and who uses it. */
export function templateStatus(
  template: TemplateObject & { readonly status?: TemplateStatus },
  { lookup, usedBy, now }: TemplateFacts,
): TemplateStatus {
  const composition = chainOf(template, lookup);
  const { generation } = template.metadata;
  const condition = {
    type: 'Resolved',
    ...finding(composition),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  return {
    ...(composition.ok ? { resolvedHash: hashOf(composition.chain) } : {}),
    usedBy,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: setCondition(template.status?.conditions ?? [], condition, new Date(now)),
  };
}

/**
 * A template of the cluster belongs to no namespace: which ones may use it is not asked here. Labels of namespaces are
 * for admission to look at.
 */
export function chainOf({ kind, metadata }: TemplateObject, lookup: TemplateLookup): Composition {
  const { name = '', namespace } = metadata;
  if (kind === 'SandboxTemplate') {
    const ref = { kind, name, ...(namespace ? { namespace } : {}) };
    return composeChain(ref, namespace ?? '', (key) =>
      opened(lookup(key), (spec) => spec.selector !== undefined),
    );
  }
  return composeChain({ kind, name }, '', (key) => opened(lookup(key), () => true));
}

function opened(
  found: ReturnType<TemplateLookup>,
  when: (allowed: NonNullable<TemplateSpec['allowedNamespaces']>) => boolean,
): ReturnType<TemplateLookup> {
  const allowed = found?.spec.allowedNamespaces;
  if (found === undefined || allowed === undefined || !when(allowed)) return found;
  return { metadata: found.metadata, spec: { ...found.spec, allowedNamespaces: { names: ['*'] } } };
}

function finding(composition: Composition): Pick<Condition, 'status' | 'reason' | 'message'> {
  if (composition.ok) {
    const count = composition.chain.length;
    const message = count === 1 ? 'the template stands alone' : `merged from a chain of ${count} templates`;
    return { status: 'True', reason: 'Merged', message };
  }
  const { code, message } = composition.violation;
  return { status: 'False', reason: REASONS[code] ?? 'Unresolved', message };
}

/** Of the merged content alone: it moves when sandboxes would get something else, not when a parent is only renamed. */
function hashOf(chain: readonly TemplateObject[]): string {
  return sha256Hex(canonicalJson(resolve({}, chain, { defaults: {} }).resolved.spec ?? {}));
}
