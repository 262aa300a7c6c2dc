// SPDX-License-Identifier: Apache-2.0

/** One column of a table of T; `wide` columns appear with `-o wide` only. */
export interface Column<T> {
  readonly header: string;
  readonly wide?: boolean;
  readonly value: (row: T) => string | undefined;
}

export interface TableOptions {
  readonly wide?: boolean;
  readonly noHeaders?: boolean;
}

const GAP = 3;

/** Text table in kubectl's shape: upper-case headers, three spaces between columns, `<none>` for an empty cell. */
export function renderTable<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  options: TableOptions,
): string {
  const shown = columns.filter((column) => options.wide === true || column.wide !== true);
  const cells = rows.map((row) => shown.map((column) => cellText(column.value(row))));
  const lines = options.noHeaders ? cells : [shown.map((column) => column.header), ...cells];
  const widths = shown.map((_column, at) => Math.max(...lines.map((line) => (line[at] ?? '').length)));
  return lines.map((line) => renderLine(line, widths)).join('');
}

function renderLine(line: readonly string[], widths: readonly number[]): string {
  const padded = line.map((cell, at) =>
    at === line.length - 1 ? cell : cell.padEnd((widths[at] ?? 0) + GAP),
  );
  return `${padded.join('')}\n`;
}

/** A cell stays on its line: values come from the cluster and may hold anything, control sequences included. */
function cellText(value: string | undefined): string {
  const text = oneLine(value ?? '');
  return text === '' ? '<none>' : text;
}

/** Text from the cluster without what would move the cursor or colour the person's terminal. */
export function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- escape sequences from the cluster must not reach the person's terminal
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
}
