// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate } from '@agenttier/crds/generated/types';
import { namespaceAllowed } from '../../auth/authorize.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import { byKey, pageOf } from '../page.ts';
import { tagOfObject } from '../precondition.ts';
import type { Call } from '../route.ts';
import { templateView } from './view.ts';
import type { TemplateView } from './view.ts';
import { createTemplate, deleteTemplate, replaceTemplate } from './writes.ts';
import type { TemplatesOptions } from './writes.ts';

type Operations = Pick<
  Handlers,
  'listTemplates' | 'getTemplate' | 'createTemplate' | 'replaceTemplate' | 'deleteTemplate'
>;

/**
 * Templates for everybody who is signed in. Without `?namespace=` the cluster's, as clients of old expect; with it also
 * those of that namespace, which win over a cluster template of the same name, as they do in a templateRef without kind.
 * With it, writes go to that namespace's own.
 */
export function templateOperations(options: TemplatesOptions): Operations {
  const { clusterTemplates } = options.stores;
  return {
    listTemplates: (call) => {
      const views = [...ownOf(options, call), ...clusterTemplates.list()].map(templateView);
      const { items, ...rest } = pageOf(views.sort(byKey(orderOf)), call.query, orderOf);
      return { status: 200, body: { templates: items, ...rest } };
    },
    getTemplate: (call) => {
      const name = call.params['name'] ?? '';
      const found =
        ownOf(options, call).find(({ metadata }) => metadata.name === name) ??
        clusterTemplates.get(undefined, name);
      if (!found) throw refusals.templateNotFound(name);
      return { status: 200, body: templateView(found), headers: { ETag: tagOfObject(found) } };
    },
    createTemplate: (call) => createTemplate(options, call),
    replaceTemplate: (call) => replaceTemplate(options, call),
    deleteTemplate: (call) => deleteTemplate(options, call),
  };
}

type Template = Pick<ClusterSandboxTemplate, 'metadata' | 'spec'>;

/** Those of the namespace that was asked for; of one beyond the key's reach there are none. */
function ownOf({ stores }: TemplatesOptions, { query, principal }: Call): Template[] {
  const namespace = query.get('namespace');
  if (!namespace || !namespaceAllowed(principal, namespace)) return [];
  return stores.templates.list().filter(({ metadata }) => metadata.namespace === namespace);
}

/** A blank comes before whatever a name can hold, so names stay in their own order. */
const orderOf = ({ name, namespace = '' }: TemplateView): string => `${name} ${namespace}`;
