// SPDX-License-Identifier: Apache-2.0
import { shownName } from '../../data/filePaths.ts';
import type { FolderEntry } from '../../data/files.ts';

export type Column = 'name' | 'size' | 'changed';

export interface Order {
  readonly by: Column;
  readonly descending: boolean;
}

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

const byName = (a: FolderEntry, b: FolderEntry): number =>
  names.compare(shownName(a.name), shownName(b.name)) || (a.name < b.name ? -1 : 1);

const COMPARE: Record<Column, (a: FolderEntry, b: FolderEntry) => number> = {
  name: byName,
  size: (a, b) => a.size - b.size,
  changed: (a, b) => a.modifiedAt - b.modifiedAt,
};

/** Folders first, whatever the order; what is equal by it goes by name. */
export function ordered(entries: readonly FolderEntry[], { by, descending }: Order): readonly FolderEntry[] {
  const turn = descending ? -1 : 1;
  return entries.toSorted(
    (a, b) => Number(b.isDir) - Number(a.isDir) || turn * COMPARE[by](a, b) || byName(a, b),
  );
}

/** What a click on the head of a column makes of the order. */
export const turned = (order: Order, by: Column): Order => ({
  by,
  descending: order.by === by ? !order.descending : by !== 'name',
});
