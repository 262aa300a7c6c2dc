// SPDX-License-Identifier: Apache-2.0
import type { ObjectMeta, TemplateSpec } from '@agenttier/crds/generated/types';
import type { Violation } from '@agenttier/crds/meta/violation';
import { MAX_CHAIN } from '@agenttier/crds/template/compose';
import type {
  Composition,
  TemplateKey,
  TemplateKind,
  TemplateObject,
} from '@agenttier/crds/template/compose';
import type { Lookup, ReadOptions } from '../lookup.ts';
import type { AdmissionRequest } from '../review.ts';

/** A template as it is being written. */
export type WrittenTemplate = TemplateObject;

/** Reads a template out of a request; undefined when it has no spec to judge, which the schema refuses. */
export function writtenTemplate(request: AdmissionRequest, object: unknown): WrittenTemplate | undefined {
  const { metadata, spec } = (object ?? {}) as { metadata?: ObjectMeta; spec?: TemplateSpec };
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  if (typeof spec !== 'object' || spec === null) return undefined;
  const kind = request.kind.kind as TemplateKind;
  const namespace = kind === 'SandboxTemplate' ? (request.namespace ?? metadata.namespace) : undefined;
  return { kind, metadata: { ...metadata, ...(namespace ? { namespace } : {}) }, spec };
}

function isSame(template: WrittenTemplate, key: TemplateKey): boolean {
  const { name, namespace } = template.metadata;
  return key.kind === template.kind && key.name === name && key.namespace === namespace;
}

/** The violation in terms of the template that holds the reference. */
function aboutParent(violation: Violation): Violation {
  return { ...violation, field: violation.field.replace('spec.templateRef', 'spec.inheritsFrom') };
}

function tooDeep(template: WrittenTemplate): Violation {
  const message = `with this template its chain of parents has more than ${MAX_CHAIN} templates`;
  return {
    code: 'template_depth_exceeded',
    field: 'spec.inheritsFrom.name',
    message,
    actual: template.spec.inheritsFrom?.name ?? '',
  };
}

function belowCluster(template: WrittenTemplate): Composition | undefined {
  const { inheritsFrom } = template.spec;
  if (template.kind !== 'ClusterSandboxTemplate' || inheritsFrom?.kind !== 'SandboxTemplate')
    return undefined;
  const message = 'a ClusterSandboxTemplate can only inherit from another ClusterSandboxTemplate';
  return { ok: false, violation: { code: 'invalid_value', field: 'spec.inheritsFrom.kind', message } };
}

/**
 * The parents of a template that is being written, root first; the written form stands in for the stored one, so that
 * a circle that this very write would close is seen.
 */
export async function parentsOf(
  template: WrittenTemplate,
  lookup: Pick<Lookup, 'chain'>,
  read: ReadOptions,
): Promise<Composition> {
  const { inheritsFrom } = template.spec;
  if (!inheritsFrom) return { ok: true, chain: [] };
  const refused = belowCluster(template);
  if (refused) return refused;
  const cluster = template.kind === 'ClusterSandboxTemplate';
  const ref = cluster ? { ...inheritsFrom, kind: 'ClusterSandboxTemplate' as const } : inheritsFrom;
  const result = await lookup.chain(ref, template.metadata.namespace ?? '', {
    ...read,
    own: (key) => (isSame(template, key) ? template : undefined),
    anyNamespace: cluster,
  });
  if (!result.ok) return { ...result, violation: aboutParent(result.violation) };
  return result.chain.length < MAX_CHAIN ? result : { ok: false, violation: tooDeep(template) };
}
