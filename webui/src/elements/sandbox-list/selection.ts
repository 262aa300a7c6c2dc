// SPDX-License-Identifier: Apache-2.0
import type { BulkAction, Phase, Sandbox } from '../../data/sandboxes.ts';

export const SORT_KEYS = ['created', 'used', 'name', 'status', 'template', 'namespace', 'owner'] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export type Order = 'ascending' | 'descending';

/** What of the sandboxes is shown, and in which order. */
export interface Selection {
  readonly text: string;
  readonly phase: Phase | '';
  readonly namespace: string;
  readonly sort: SortKey;
  readonly order: Order;
}

/** Identifies a sandbox in a list: names repeat over namespaces. */
export const keyOf = ({ namespace, name }: Sandbox): string => `${namespace}/${name}`;

export const ownerOf = ({ createdBy }: Sandbox): string =>
  createdBy?.displayName || createdBy?.email || createdBy?.sub || '';

const wordsOf = ({ name, namespace, templateRef, createdBy }: Sandbox): string =>
  [name, namespace, templateRef, createdBy?.displayName, createdBy?.email, createdBy?.sub]
    .join(' ')
    .toLowerCase();

const VALUES: Readonly<Record<SortKey, (sandbox: Sandbox) => string>> = {
  created: ({ createdAt }) => createdAt,
  used: ({ lastActivityAt = '' }) => lastActivityAt,
  name: ({ name }) => name,
  status: ({ status }) => status,
  template: ({ templateRef }) => templateRef,
  namespace: ({ namespace }) => namespace,
  owner: ownerOf,
};

/** How a column is sorted first: times from the newest on, words from A on. */
export const naturalOrder = (key: SortKey): Order =>
  key === 'created' || key === 'used' ? 'descending' : 'ascending';

/** localeCompare builds a collator with each call: a thousand sandboxes would feel it. */
const COLLATOR = new Intl.Collator('en', { numeric: true });

/** The sandboxes that fit, in the order asked for; every word of the text must be somewhere in one. */
export function select(sandboxes: readonly Sandbox[], selection: Selection): readonly Sandbox[] {
  const { text, phase, namespace, sort, order } = selection;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const value = VALUES[sort];
  const sign = order === 'ascending' ? 1 : -1;
  return sandboxes
    .filter((sandbox) => phase === '' || sandbox.status === phase)
    .filter((sandbox) => namespace === '' || sandbox.namespace === namespace)
    .filter((sandbox) => words.every((word) => wordsOf(sandbox).includes(word)))
    .toSorted(
      (a, b) =>
        sign * COLLATOR.compare(value(a), value(b)) ||
        COLLATOR.compare(a.name, b.name) ||
        COLLATOR.compare(a.namespace, b.namespace),
    );
}

const PHASES_FOR: Readonly<Record<BulkAction, readonly Phase[]>> = {
  stop: ['Running', 'Creating'],
  resume: ['Stopped', 'Error'],
  delete: ['Running', 'Creating', 'Stopped', 'Error'],
};

/** Those that an action makes sense for. */
export const fitting = (action: BulkAction, sandboxes: readonly Sandbox[]): readonly Sandbox[] =>
  sandboxes.filter(({ status }) => PHASES_FOR[action].includes(status));
