// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_FORCE_DELETE } from '@agenttier/crds/meta/labels';
import type { Violation } from '@agenttier/crds/meta/violation';
import { describeTemplate } from '@agenttier/crds/template/compose';
import type { TemplateObject } from '@agenttier/crds/template/compose';
import { parentsOfTemplate, templateKey } from '@agenttier/crds/template/users';
import type { UserInfo } from '../review.ts';

/** What is known of the users of templates. */
export interface TemplateUsers {
  /** False while not all sandboxes have been read. */
  synced(): boolean;
  /** `namespace/name` of the sandboxes made from the template. */
  sandboxes(template: string): readonly string[];
  /** All templates of the cluster. */
  templates(): readonly TemplateObject[];
}

/** Empties a namespace that is deleted, in no order: it must not wait for what it deletes a moment later. */
const NAMESPACE_CONTROLLER = 'system:serviceaccount:kube-system:namespace-controller';
const SHOWN = 5;

/**
 * Why a template may not be deleted: something is made from it. The annotation agenttier.io/force-delete, with any value
 * but false, says that this is meant; sandboxes go on with the copy that they carry.
 */
export function removalViolations(
  template: TemplateObject,
  users: TemplateUsers,
  by: UserInfo | undefined,
): Violation[] {
  const { name = '', namespace, annotations } = template.metadata;
  const force = annotations?.[ANNOTATION_FORCE_DELETE];
  if ((force !== undefined && force !== 'false') || by?.username === NAMESPACE_CONTROLLER) return [];
  const common = { code: 'template_in_use', field: 'metadata.name' } as const;
  if (!users.synced()) {
    const message = `it is not known yet which sandboxes use ${describeTemplate(template)}; try again in a moment`;
    return [{ ...common, message }];
  }
  const key = templateKey(template.kind, namespace, name);
  const children = users.templates().filter((other) => parentsOfTemplate(other).includes(key));
  return [
    ...used(template, users.sandboxes(key), 'sandbox', 'sandboxes'),
    ...used(
      template,
      children.map((child) => describeTemplate(child)),
      'template',
      'templates',
    ),
  ];
}

function used(template: TemplateObject, names: readonly string[], one: string, many: string): Violation[] {
  if (names.length === 0) return [];
  const some = names.toSorted().slice(0, SHOWN).join(', ');
  const rest = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  const count = `${names.length} ${names.length === 1 ? one : many}`;
  const message = `${describeTemplate(template)} is used by ${count}: ${some}${rest}. Delete those first, or set the annotation ${ANNOTATION_FORCE_DELETE}: "true" on the template`;
  return [{ code: 'template_in_use', field: 'metadata.name', message, actual: names.length }];
}
