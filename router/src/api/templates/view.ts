// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate } from '@agenttier/crds/generated/types';

/** A template as clients see it. */
export interface TemplateView {
  readonly name: string;
  readonly description: string;
  readonly image: string;
  readonly resourceVersion: string;
  readonly spec: object;
  /** Only on templates that belong to a namespace. */
  readonly namespace?: string;
}

export function templateView({
  metadata,
  spec,
}: Pick<ClusterSandboxTemplate, 'metadata' | 'spec'>): TemplateView {
  return {
    name: metadata.name ?? '',
    description: spec?.description ?? '',
    image: imageText(spec?.image),
    resourceVersion: metadata.resourceVersion ?? '',
    spec: spec ?? {},
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
  };
}

/** Clients know the image as one string. */
function imageText(image: { readonly repository?: string; readonly tag?: string } | undefined): string {
  if (!image?.repository) return '';
  if (!image.tag) return image.repository;
  return `${image.repository}${image.tag.includes(':') ? '@' : ':'}${image.tag}`;
}
