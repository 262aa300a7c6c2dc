// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate } from '@agenttier/crds/generated/types';
import type { Stores } from '../../cluster/caches.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';

interface TemplateView {
  readonly name: string;
  readonly description: string;
  readonly image: string;
  readonly resourceVersion: string;
  readonly spec: object;
  /** Only on templates that belong to a namespace. */
  readonly namespace?: string;
}

type Operations = Pick<Handlers, 'listTemplates' | 'getTemplate'>;

/**
 * Templates for everybody who is signed in. Without `?namespace=` the cluster's, as clients of old expect; with it also
 * those of that namespace, which win over a cluster template of the same name, as they do in a templateRef without kind.
 */
export function templateOperations(stores: Pick<Stores, 'clusterTemplates' | 'templates'>): Operations {
  const inNamespace = (namespace: string | null): TemplateView[] =>
    namespace
      ? stores.templates
          .list()
          .filter(({ metadata }) => metadata.namespace === namespace)
          .map((template) => ({ ...templateView(template), namespace }))
      : [];
  return {
    listTemplates: ({ query }) => {
      const own = inNamespace(query.get('namespace'));
      const shared = stores.clusterTemplates.list().map(templateView);
      return { status: 200, body: { templates: [...own, ...shared].sort(byName) } };
    },
    getTemplate: ({ params, query }) => {
      const name = params['name'] ?? '';
      const shared = stores.clusterTemplates.get(undefined, name);
      const found = inNamespace(query.get('namespace')).find((view) => view.name === name);
      if (!found && !shared) throw refusals.templateNotFound(name);
      return { status: 200, body: found ?? (shared && templateView(shared)) };
    },
  };
}

const byName = (a: TemplateView, b: TemplateView): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

function templateView({ metadata, spec }: Pick<ClusterSandboxTemplate, 'metadata' | 'spec'>): TemplateView {
  return {
    name: metadata.name ?? '',
    description: spec?.description ?? '',
    image: imageText(spec?.image),
    resourceVersion: metadata.resourceVersion ?? '',
    spec: spec ?? {},
  };
}

/** Clients know the image as one string. */
function imageText(image: { readonly repository?: string; readonly tag?: string } | undefined): string {
  if (!image?.repository) return '';
  if (!image.tag) return image.repository;
  return `${image.repository}${image.tag.includes(':') ? '@' : ':'}${image.tag}`;
}
