// SPDX-License-Identifier: Apache-2.0
import type { ObjectMeta, SandboxSpec, TemplateSpec } from '../generated/types.ts';
import type { TemplateKind, TemplateRef } from './compose.ts';

/** `Kind/namespace/name`, with an empty namespace for a template of the cluster: how indexes name a template. */
export const templateKey = (kind: string, namespace: string | undefined, name: string): string =>
  `${kind}/${namespace ?? ''}/${name}`;

/** Keys of the templates that a sandbox was merged from; before it was, of those that its reference can mean. */
export function templatesOfSandbox(sandbox: {
  readonly metadata: Pick<ObjectMeta, 'namespace'>;
  readonly spec?: SandboxSpec;
}): string[] {
  const { resolved, templateRef } = sandbox.spec ?? {};
  const { chain } = resolved ?? {};
  if (chain !== undefined)
    return chain.map(({ kind, namespace, name }) => templateKey(kind, namespace, name));
  return templateRef === undefined ? [] : meantBy(templateRef, sandbox.metadata.namespace);
}

/** Keys of the templates that a template's reference to its parent can mean. */
export function parentsOfTemplate(template: {
  readonly kind: TemplateKind;
  readonly metadata: Pick<ObjectMeta, 'namespace'>;
  readonly spec: TemplateSpec;
}): string[] {
  const { inheritsFrom } = template.spec;
  if (inheritsFrom === undefined) return [];
  if (template.kind === 'ClusterSandboxTemplate') {
    return [templateKey('ClusterSandboxTemplate', undefined, inheritsFrom.name)];
  }
  return meantBy(inheritsFrom, template.metadata.namespace);
}

function meantBy(ref: TemplateRef, namespace: string | undefined): string[] {
  const local = templateKey('SandboxTemplate', ref.namespace || namespace, ref.name);
  const cluster = templateKey('ClusterSandboxTemplate', undefined, ref.name);
  if (ref.kind === 'SandboxTemplate' || ref.namespace) return [local];
  return ref.kind === 'ClusterSandboxTemplate' ? [cluster] : [local, cluster];
}
