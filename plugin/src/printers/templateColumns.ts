// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate, SandboxTemplate } from '@agenttier/crds/generated/types';
import { imageOf } from '@agenttier/crds/meta/imageReference';
import { ageSince } from './age.ts';
import type { Column } from './table.ts';

export type AnyTemplate = SandboxTemplate | ClusterSandboxTemplate;

/** Columns of a list of templates of both kinds; `now` in milliseconds. */
export function templateColumns(now: number): readonly Column<AnyTemplate>[] {
  return [
    { header: 'NAME', value: (template) => template.metadata.name },
    { header: 'SCOPE', value: (template) => template.metadata.namespace ?? 'cluster' },
    { header: 'IMAGE', value: (template) => template.spec?.image && imageOf(template.spec.image) },
    { header: 'PARENT', value: (template) => template.spec?.inheritsFrom?.name },
    { header: 'AGE', value: (template) => ageSince(template.metadata.creationTimestamp, now) },
    { header: 'MODE', wide: true, value: (template) => template.spec?.mode },
    { header: 'DESCRIPTION', wide: true, value: (template) => template.spec?.description },
  ];
}
