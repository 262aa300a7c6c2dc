// SPDX-License-Identifier: Apache-2.0
import { ApiError } from '@agenttier/client';
import type { Template } from '@agenttier/client';
import { explainFields } from '@agenttier/crds/explain/fields';
import type { ExplainedField } from '@agenttier/crds/explain/fields';
import { mergeChain } from '@agenttier/crds/explain/explanation';
import { loadChain } from '@agenttier/crds/explain/judge';
import type { FoundTemplate } from '@agenttier/crds/explain/judge';
import { describeTemplate } from '@agenttier/crds/template/compose';
import type { TemplateKey as ChainKey } from '@agenttier/crds/template/compose';
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

/** What a template says together with those that it inherits from. */
export interface Inheritance {
  /** The root first, the template itself last. */
  readonly chain: readonly string[];
  readonly fields: readonly ExplainedField[];
  /** Why there is no such chain; then there are no fields. */
  readonly problem?: string;
}

/** Works out what a text would say that is not stored yet, by the merge that admission does. */
export async function inheritanceOf(
  server: Server,
  key: TemplateKey,
  spec: Spec,
  signal: AbortSignal,
): Promise<Inheritance> {
  const leaf: ChainKey = {
    kind: key.namespace ? 'SandboxTemplate' : 'ClusterSandboxTemplate',
    ...(key.namespace ? { namespace: key.namespace } : {}),
    name: key.name,
  };
  const { composition } = await loadChain(leaf, key.namespace ?? '', {
    own: (wanted) => (isSame(wanted, leaf) ? opened(key.name, spec) : undefined),
    read: (wanted) => readForChain(server, wanted, signal),
  });
  if (!composition.ok) return { chain: [], fields: [], problem: composition.violation.message };
  const { spec: merged, origins } = mergeChain(composition.chain);
  return {
    chain: composition.chain.map((template) => describeTemplate(template)),
    fields: explainFields(merged, origins),
  };
}

const isSame = (a: ChainKey, b: ChainKey): boolean =>
  a.kind === b.kind && a.name === b.name && a.namespace === b.namespace;

/** Which namespaces may use a template is a question about a sandbox, and there is none. */
const opened = (name: string, spec: Spec): FoundTemplate => ({
  metadata: { name },
  spec: { ...spec, allowedNamespaces: { names: ['*'] } },
});

async function readForChain(
  { api }: Server,
  { namespace, name }: ChainKey,
  signal: AbortSignal,
): Promise<FoundTemplate | undefined> {
  const given = { params: { name }, query: place({ name, namespace }) };
  const found = await api.getTemplate(given, { signal }).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  });
  // Of a name that the namespace does not have, the answer is the cluster's.
  return found === undefined || found.namespace !== namespace ? undefined : opened(name, found.spec);
}
