// SPDX-License-Identifier: Apache-2.0
import type { PolicyUsage, UsageRow } from '@agenttier/crds/explain/usage';
import { type Column, renderTable, type TableOptions } from '../printers/table.ts';

type Row = UsageRow & Pick<PolicyUsage, 'scope' | 'namespace'>;

const COLUMNS: readonly Column<Row>[] = [
  { header: 'SCOPE', value: ({ scope, namespace }) => namespace ?? scope },
  {
    header: 'COUNTED',
    value: ({ dimension, user }) => (user === undefined ? dimension : `${dimension} of ${user}`),
  },
  { header: 'USED', value: ({ used }) => String(used) },
  {
    header: 'RESERVED',
    wide: true,
    value: ({ reserved }) => (reserved === undefined ? undefined : String(reserved)),
  },
  { header: 'LIMIT', value: ({ limit }) => (limit === undefined ? undefined : String(limit)) },
  { header: 'LEFT', value: ({ left }) => (left === undefined ? undefined : String(left)) },
];

/** One line for everything that a policy counts. */
export function usageTable(usage: readonly PolicyUsage[], options: TableOptions): string {
  const rows = usage.flatMap(({ scope, namespace, rows }) =>
    rows.map((row) => ({ ...row, scope, ...(namespace === undefined ? {} : { namespace }) })),
  );
  return renderTable(rows, COLUMNS, options);
}
