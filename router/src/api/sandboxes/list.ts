// SPDX-License-Identifier: Apache-2.0
import { visibleSandboxes } from '../../cluster/lookup.ts';
import type { Stores } from '../../cluster/caches.ts';
import { tagOfVersions } from '../entityTag.ts';
import { byKey, pageOf } from '../page.ts';
import type { Page } from '../page.ts';
import type { Call, Reply } from '../route.ts';
import type { SandboxRow, SandboxRows } from './rows.ts';

export interface ListOptions {
  readonly stores: Pick<Stores, 'sandboxes'>;
  readonly rows: SandboxRows;
}

const orderOf = ({ order }: SandboxRow): string => order;

/** The sandboxes that the caller may see, a page of them or all, oldest first. */
export function listSandboxes(options: ListOptions, call: Call): Reply {
  const page = pageOf(rowsFor(options, call), call.query, orderOf);
  return {
    status: 200,
    etag: tagOfVersions([...page.items.map(({ version }) => version), page.continue ?? '']),
    json: () => listText(page),
  };
}

function rowsFor({ stores, rows }: ListOptions, { query, principal }: Call): SandboxRow[] {
  const namespace = query.get('namespace');
  const status = query.get('status');
  return visibleSandboxes(stores.sandboxes, principal)
    .filter(({ metadata }) => !namespace || metadata.namespace === namespace)
    .map((sandbox) => rows.of(sandbox))
    .filter(({ view }) => !status || view.status === status)
    .sort(byKey(orderOf));
}

function listText({ items, continue: more }: Page<SandboxRow>): string {
  const sandboxes = items.map(({ json }) => json).join(',');
  return `{"sandboxes":[${sandboxes}]${more === undefined ? '' : `,"continue":${JSON.stringify(more)}`}}`;
}
