// SPDX-License-Identifier: Apache-2.0

type Cell = string | number | boolean;

/** Rows as RFC 4180 has them, with a line of names first. */
export function csvOf<T extends object>(names: readonly (keyof T & string)[], rows: readonly T[]): string {
  const lines = rows.map((row) => names.map((name) => cell(row[name] as Cell)).join(','));
  return [names.join(','), ...lines, ''].join('\r\n');
}

/** A text that a spreadsheet would take for a formula gets a quote in front: names are other people's to choose. */
function cell(value: Cell): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
