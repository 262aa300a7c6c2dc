// SPDX-License-Identifier: Apache-2.0
import { CommandError } from '../context/failure.ts';
import { type Host, write } from '../context/host.ts';
import { parseOutput, renderValue } from './output.ts';
import { type Column, renderTable } from './table.ts';

interface Format {
  readonly output?: string;
  readonly headers?: boolean;
}

/** A list that came from the router: a table for people, the answer itself in a machine format. */
export async function printRows<T>(
  host: Host,
  format: Format,
  answer: unknown,
  {
    rows,
    columns,
    none,
  }: { readonly rows: readonly T[]; readonly columns: readonly Column<T>[]; readonly none: string },
): Promise<void> {
  const output = parseOutput(format.output);
  if (output.kind === 'name') throw namesOnly();
  if (output.kind !== 'table') return write(host.streams.out, await renderValue(output, answer));
  if (rows.length === 0) return write(host.streams.err, `${none}\n`);
  const table = renderTable(rows, columns, { wide: output.wide, noHeaders: format.headers === false });
  return write(host.streams.out, table);
}

/** One answer: a sentence for people, the answer itself in a machine format. */
export async function printAnswer(
  host: Host,
  format: Format,
  answer: unknown,
  sentence: string,
): Promise<void> {
  const output = parseOutput(format.output);
  if (output.kind === 'name') throw namesOnly();
  const text = output.kind === 'table' ? `${sentence}\n` : await renderValue(output, answer);
  await write(host.streams.out, text);
}

const namesOnly = (): CommandError =>
  new CommandError('-o name: this prints text, json, yaml or jsonpath, not names', 2);
