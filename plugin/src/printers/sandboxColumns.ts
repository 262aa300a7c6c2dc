// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ageSince } from './age.ts';
import type { Column } from './table.ts';

/** Columns of a list of sandboxes at `now` (milliseconds); `namespaces` adds the one that `-A` needs. */
export function sandboxColumns(now: number, namespaces: boolean): readonly Column<Sandbox>[] {
  const columns: readonly Column<Sandbox>[] = [
    { header: 'NAME', value: (sandbox) => sandbox.metadata.name },
    { header: 'STATUS', value: sandboxStatus },
    { header: 'TEMPLATE', value: templateName },
    { header: 'AGE', value: (sandbox) => ageSince(sandbox.metadata.creationTimestamp, now) },
    {
      header: 'MODE',
      wide: true,
      value: (sandbox) => sandbox.spec?.mode ?? sandbox.spec?.resolved?.spec?.mode,
    },
    { header: 'OWNER', wide: true, value: (sandbox) => sandbox.spec?.createdBy?.sub },
    { header: 'POD', wide: true, value: (sandbox) => sandbox.status?.podName },
    { header: 'IMAGE', wide: true, value: imageText },
    { header: 'REASON', wide: true, value: (sandbox) => sandbox.status?.reason },
  ];
  return namespaces
    ? [{ header: 'NAMESPACE', value: (sandbox) => sandbox.metadata.namespace }, ...columns]
    : columns;
}

/** The phase word; before the first reconcile there is none, which people read best as Pending. */
export function sandboxStatus(sandbox: Sandbox): string {
  if (sandbox.metadata.deletionTimestamp !== undefined) return 'Deleting';
  return sandbox.status?.phase || 'Pending';
}

function templateName(sandbox: Sandbox): string | undefined {
  return sandbox.status?.resolvedTemplate || sandbox.spec?.templateRef?.name;
}

function imageText(sandbox: Sandbox): string | undefined {
  const image = sandbox.spec?.resolved?.spec?.image ?? sandbox.spec?.image;
  if (!image?.repository) return undefined;
  return image.tag ? `${image.repository}:${image.tag}` : image.repository;
}
