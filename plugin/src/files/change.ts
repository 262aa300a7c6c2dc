// SPDX-License-Identifier: Apache-2.0
import { forEachItem } from '../client/sandboxes.ts';
import { type Host, write } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { ageSince } from '../printers/age.ts';
import { printRows } from '../printers/answer.ts';
import type { Column } from '../printers/table.ts';
import { type Entry, openRemote } from './remote.ts';

const columns = (now: number): readonly Column<Entry>[] => [
  { header: 'NAME', value: ({ name, target }) => (target === undefined ? name : `${name} -> ${target}`) },
  { header: 'TYPE', value: ({ type, isDir }) => type ?? (isDir ? 'dir' : 'file') },
  { header: 'SIZE', value: ({ size }) => String(size) },
  { header: 'AGE', value: ({ modifiedAt }) => ageSince(new Date(modifiedAt * 1000).toISOString(), now) },
  { header: 'MODE', wide: true, value: ({ mode }) => mode },
];

export async function listFiles(
  host: Host,
  options: VerbOptions & { readonly path?: string },
): Promise<void> {
  const [name = '', given = options.path] = options.args;
  const remote = await openRemote(host, options, name);
  const listing = await remote.list(given === undefined ? undefined : await remote.absolute(given));
  const shown = {
    rows: listing.entries,
    columns: columns(host.clock.now()),
    none: `${listing.path} is empty`,
  };
  await printRows(host, options, listing, shown);
}

export async function makeFolder(host: Host, options: VerbOptions): Promise<void> {
  const [name = '', given = ''] = options.args;
  const remote = await openRemote(host, options, name);
  const path = await remote.absolute(given);
  await remote.rest.call('/files', { body: { op: 'mkdir', path } });
  await write(host.streams.out, `made ${path}\n`);
}

export async function moveFile(
  host: Host,
  options: VerbOptions & { readonly overwrite?: boolean },
): Promise<void> {
  const [name = '', from = '', target = ''] = options.args;
  const remote = await openRemote(host, options, name);
  const [path, to] = [await remote.absolute(from), await remote.absolute(target)];
  const overwrite = options.overwrite === true ? { overwrite: true } : {};
  await remote.rest.call('/files', { body: { op: 'move', path, to, ...overwrite } });
  await write(host.streams.out, `moved ${path} to ${to}\n`);
}

export async function removeFiles(
  host: Host,
  options: VerbOptions & { readonly recursive?: boolean },
): Promise<void> {
  const [name = '', ...paths] = options.args;
  const remote = await openRemote(host, options, name);
  const query: Record<string, string> = options.recursive === true ? { recursive: 'true' } : {};
  await forEachItem(paths, async (given) => {
    const path = await remote.absolute(given);
    await remote.open(path, { method: 'DELETE' }, query);
    await write(host.streams.out, `deleted ${path}\n`);
  });
}
