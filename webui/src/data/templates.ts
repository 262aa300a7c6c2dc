// SPDX-License-Identifier: Apache-2.0
import { ApiError } from '@agenttier/client';
import type { Template } from '@agenttier/client';
import type { Saved, Spec } from './saved.ts';
import type { Server } from './server.ts';

export type { Template } from '@agenttier/client';

/** A template by its place; no namespace = the cluster's. */
export interface TemplateKey {
  readonly name: string;
  readonly namespace?: string | undefined;
}

const place = ({ namespace }: TemplateKey) => (namespace ? { namespace } : {});

/** The cluster's templates, with a namespace also its own. */
export async function listTemplates(
  { api }: Server,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly Template[]> {
  const { templates } = await api.listTemplates({ query: namespace ? { namespace } : {} }, { signal });
  return templates;
}

export const createTemplate = ({ api }: Server, key: TemplateKey, spec: Spec): Promise<Template> =>
  api.createTemplate({ query: place(key), body: { name: key.name, spec } });

/** Replaces a template, unless it is another by now than `base`, which the change was made from. */
export async function saveTemplate({ api }: Server, base: Template, spec: Spec): Promise<Saved<Template>> {
  const given = { params: { name: base.name }, query: place(base), body: { spec } };
  try {
    const template = await api.replaceTemplate(given, {
      headers: { 'If-Match': `"${base.resourceVersion}"` },
    });
    return { outcome: 'saved', value: template, warnings: template.warnings };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 412) throw error;
    return {
      outcome: 'changed',
      current: await api.getTemplate({ params: { name: base.name }, query: place(base) }),
    };
  }
}

/** What admission would remark on, with nothing stored. Rejects with its violations like the write itself. */
export async function tryTemplate(
  { api }: Server,
  key: TemplateKey & { readonly exists: boolean },
  spec: Spec,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const query = { ...place(key), dryRun: true };
  const { warnings = [] } = await (key.exists
    ? api.replaceTemplate({ params: { name: key.name }, query, body: { spec } }, { signal })
    : api.createTemplate({ query, body: { name: key.name, spec } }, { signal }));
  return warnings;
}

export async function deleteTemplate({ api }: Server, key: TemplateKey): Promise<void> {
  await api.deleteTemplate({ params: { name: key.name }, query: place(key) });
}
