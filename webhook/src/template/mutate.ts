// SPDX-License-Identifier: Apache-2.0
import { jsonPatch } from '@agenttier/crds/meta/jsonPatch';
import type { TemplateKind, TemplateRef } from '@agenttier/crds/template/compose';
import type { Lookup } from '../lookup.ts';
import { ALLOW } from '../review.ts';
import type { Handler, Verdict } from '../review.ts';
import { parentsOf, writtenTemplate } from './parents.ts';
import type { WrittenTemplate } from './parents.ts';

/** The reference that waits for a kind, if the template has one. */
function openRef(template: WrittenTemplate | undefined): TemplateRef | undefined {
  const ref = template?.spec.inheritsFrom;
  // Mutation runs before the schema is checked: the name may be anything.
  const open = typeof ref?.name === 'string' && ref.name !== '' && !ref.kind;
  return open && !template?.metadata.deletionTimestamp ? ref : undefined;
}

/** The kind that an update leaves out is the one that was found before, as long as the parent has the same name. */
function keptKind(ref: TemplateRef, old: WrittenTemplate | undefined): TemplateKind | undefined {
  const before = old?.spec.inheritsFrom;
  return before?.name === ref.name ? before.kind : undefined;
}

/** `/mutate/templates`: writes down the kind of the parent, so that a later template of that name changes nothing. */
export function mutateTemplates(options: { readonly lookup: Pick<Lookup, 'chain'> }): Handler {
  const foundKind = async (
    template: WrittenTemplate,
    signal: AbortSignal,
  ): Promise<TemplateKind | undefined> => {
    const parents = await parentsOf(template, options.lookup, { signal });
    return parents.ok ? parents.chain.at(-1)?.kind : undefined;
  };
  return async (request, signal): Promise<Verdict> => {
    const template = writtenTemplate(request, request.object);
    const ref = openRef(template);
    if (!template || !ref) return ALLOW;
    const old = writtenTemplate(request, request.oldObject);
    const kind = keptKind(ref, old) ?? (await foundKind(template, signal));
    if (!kind) return ALLOW;
    const object = request.object as { readonly spec: object };
    const patched = { ...object, spec: { ...object.spec, inheritsFrom: { ...ref, kind } } };
    return { violations: [], patch: jsonPatch(object, patched) };
  };
}
