// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxTemplate } from '@agenttier/crds/generated/types';
import { API_VERSION, LABEL_MANAGED } from '@agenttier/crds/meta/labels';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOX_TEMPLATES } from '@agenttier/crds/meta/resources';
import { isKubeError, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { namespaceAllowed } from '../../auth/authorize.ts';
import { deniedBody } from '../denial.ts';
import { HttpError, refusals } from '../errors.ts';
import { requireMatch, tagOfObject } from '../precondition.ts';
import type { Call, Reply } from '../route.ts';
import { isDryRun, removeAs, replace, withWarnings, writeAs } from '../write.ts';
import { NAME_PATTERN } from '../schemas.ts';
import { templateView } from './view.ts';

export interface TemplatesOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'update' | 'raw'>;
  readonly stores: Pick<Stores, 'clusterTemplates' | 'templates'>;
}

/** Both scopes have the same shape. */
type Template = SandboxTemplate & KubeObject;

interface Place {
  readonly resource: Resource;
  readonly namespace: string | undefined;
}

/**
 * Where the write goes: to the namespace that was asked for, as far as RBAC lets the person, else to the cluster, which
 * is for administrators.
 */
function placeOf({ query, principal }: Call): Place {
  const namespace = query.get('namespace') || undefined;
  if (namespace === undefined) {
    if (!principal.isAdmin) throw refusals.adminRequired();
    return { resource: CLUSTER_SANDBOX_TEMPLATES, namespace };
  }
  if (!namespaceAllowed(principal, namespace)) throw refusals.namespaceRefused(namespace);
  return { resource: SANDBOX_TEMPLATES, namespace };
}

/** The template of the path. What cannot be a name must not lead to another path of the API server. */
function nameIn({ params }: Call): string {
  const name = params['name'] ?? '';
  if (!new RegExp(NAME_PATTERN).test(name)) throw refusals.templateNotFound(name);
  return name;
}

export interface TemplateWrite {
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Safe since a name that is taken makes it fail. */
export async function createTemplate(
  options: TemplatesOptions,
  call: Call<TemplateWrite & { readonly name: string }>,
): Promise<Reply> {
  const { resource, namespace } = placeOf(call);
  const { name, spec } = call.body;
  const warnings: string[] = [];
  const body = withSpec(
    { metadata: { name, labels: { [LABEL_MANAGED]: 'true' } } },
    { resource, namespace },
    spec,
  );
  const created = await options.client.create<Template>(resource, namespace, body, {
    ...writeAs(call, warnings),
    fieldValidation: 'Strict',
  });
  return replyWith(options, call, { status: 201, object: created, warnings });
}

export async function replaceTemplate(options: TemplatesOptions, call: Call<TemplateWrite>): Promise<Reply> {
  const { resource, namespace } = placeOf(call);
  const name = nameIn(call);
  const { object, warnings } = await replace<Template>(options.client, call, {
    resource,
    key: { namespace, name },
    change: (current) => withSpec(current, { resource, namespace }, call.body.spec),
    view: templateView,
    missing: () => refusals.templateNotFound(name),
  });
  return replyWith(options, call, { status: 200, object, warnings });
}

const withSpec = (
  current: Pick<Template, 'metadata'> | undefined,
  { resource, namespace }: Place,
  spec: TemplateWrite['spec'],
): Template => ({
  ...current,
  apiVersion: API_VERSION,
  kind: resource.kind,
  metadata: { ...current?.metadata, ...(namespace === undefined ? {} : { namespace }) },
  // Whatever the body holds: the schema at the API server and admission judge it.
  spec,
});

interface Written {
  readonly status: number;
  readonly object: Template;
  readonly warnings: readonly string[];
}

function replyWith({ stores }: TemplatesOptions, call: Call, { status, object, warnings }: Written): Reply {
  if (!isDryRun(call)) {
    if (object.metadata.namespace) stores.templates.applyLocal(object);
    else stores.clusterTemplates.applyLocal(object);
  }
  const headers = { ETag: tagOfObject(object) };
  return { status, body: { ...templateView(object), ...withWarnings(warnings) }, headers };
}

export async function deleteTemplate(options: TemplatesOptions, call: Call): Promise<Reply> {
  const { resource, namespace } = placeOf(call);
  const name = nameIn(call);
  try {
    const current = await options.client.get<Template>(resource, { namespace, name });
    requireMatch(call, current, templateView(current));
    const { uid = '' } = current.metadata;
    await removeAs(options.client, call, { resource, key: { namespace, name }, uid });
  } catch (error) {
    if (isNotFound(error)) throw refusals.templateNotFound(name);
    throw inUse(error) ?? error;
  }
  return { status: 204 };
}

/** That something is made from it is a matter of state, not of rights: clients know it as 409. */
function inUse(error: unknown): HttpError | undefined {
  const denied = isKubeError(error) ? deniedBody(error) : undefined;
  const violations = denied?.violations ?? [];
  if (!violations.some(({ code }) => code === 'template_in_use')) return undefined;
  const message = violations.map(({ message }) => message).join('; ');
  return new HttpError(409, { error: 'template_in_use', message, violations });
}
