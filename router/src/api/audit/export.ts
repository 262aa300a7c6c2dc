// SPDX-License-Identifier: Apache-2.0
import { COLUMNS } from '../../auditStore/row.ts';
import type { AuditRow } from '../../auditStore/row.ts';

export type ExportFormat = 'ndjson' | 'csv';

/** Names of columns, of which the second is a time for people. */
const HEADER = COLUMNS.map((column) => (column === 'at' ? 'timestamp' : column));

export const headOf = (format: ExportFormat): string => (format === 'csv' ? `${HEADER.join(',')}\r\n` : '');

export function lineOf(row: AuditRow, format: ExportFormat): string {
  const values = COLUMNS.map((column) => (column === 'at' ? new Date(row.at).toISOString() : row[column]));
  if (format === 'csv') return `${values.map(cell).join(',')}\r\n`;
  return `${JSON.stringify(Object.fromEntries(HEADER.map((name, n) => [name, values[n]])))}\n`;
}

/**
 * RFC 4180. A spreadsheet takes what begins with one of these for a formula and runs it, and names are chosen by people
 * who may wish for that: an apostrophe makes it text.
 */
function cell(value: string | number): string {
  const text = String(value);
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
