// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, relative, sep } from 'node:path';
import { forEachItem } from '../client/sandboxes.ts';
import { CommandError, messageOf } from '../context/failure.ts';
import { type Host, write } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { type Entry, openRemote, type Remote } from './remote.ts';
import { fetchFile, sendFile } from './transfer.ts';

/** Deep enough for every tree that a limit on the length of paths allows in practice. */
const DEPTH = 64;

export async function runCopy(host: Host, options: VerbOptions): Promise<void> {
  const [from = '', to = ''] = options.args;
  const [source, target] = [remotePlace(from), remotePlace(to)];
  if ((source === undefined) === (target === undefined)) {
    throw new CommandError(
      'one of the two must be SANDBOX:PATH, and the other one a path of this machine',
      2,
    );
  }
  if (source) {
    const remote = await openRemote(host, options, source.sandbox);
    return copyOut(host, remote, source.path, to);
  }
  if (target) {
    const remote = await openRemote(host, options, target.sandbox);
    await copyIn(host, remote, from, target.path);
  }
}

/** `demo:path`; what has a slash before its colon is a path of this machine. */
function remotePlace(text: string): { sandbox: string; path: string } | undefined {
  const [, sandbox, path] = /^([^/:]+):(.*)$/s.exec(text) ?? [];
  return sandbox === undefined || path === undefined ? undefined : { sandbox, path };
}

async function copyIn(host: Host, remote: Remote, local: string, given: string): Promise<void> {
  const found = await stat(local).catch((error: unknown) => {
    throw new CommandError(`${local} cannot be read: ${messageOf(error)}`, 1, error);
  });
  const path = await remote.absolute(given);
  const target = path.endsWith('/') ? posix.join(path, basename(local)) : path;
  const files = found.isDirectory() ? await filesBelow(local) : [local];
  await forEachItem(files, async (file) => {
    const below = relative(local, file).split(sep).join('/');
    const { mode } = await stat(file);
    const permissions = (mode & 0o777).toString(8).padStart(4, '0');
    const place = below === '' ? target : posix.join(target, below);
    await sendFile(host, remote, { local: file, path: place, mode: permissions });
  });
  await write(host.streams.out, `copied ${count(files.length)} to ${target}\n`);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function copyOut(host: Host, remote: Remote, given: string, to: string): Promise<void> {
  const path = await remote.absolute(given);
  const { entry } = await remote.rest.call<{ entry: Entry }>('/stat', {}, { path });
  const isFolder = await stat(to).then(
    (found) => found.isDirectory(),
    () => to.endsWith('/'),
  );
  const target = isFolder ? join(to, basename(path)) : to;
  const below = entry.isDir ? await pathsBelow(remote, path) : [''];
  await forEachItem(below, async (each) => {
    const local = placeBelow(target, each);
    await mkdir(dirname(local), { recursive: true });
    await fetchFile(host, await remote.open(each === '' ? path : posix.join(path, each)), local);
  });
  await write(host.streams.out, `copied ${count(below.length)} to ${target}\n`);
}

const isFile = ({ type, isDir }: Entry): boolean => (type ?? (isDir ? 'dir' : 'file')) === 'file';

async function pathsBelow(remote: Remote, folder: string): Promise<string[]> {
  const { entries } = await remote.list(folder, DEPTH);
  return entries.filter(isFile).map(({ path, name }) => path ?? name);
}

/** The names come from the sandbox, which may be hostile: none may lead out of the folder that is copied into. */
export function placeBelow(folder: string, below: string): string {
  const place = join(folder, below);
  const inside = relative(folder, place);
  if (
    below !== '' &&
    (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || below.includes('\u0000'))
  ) {
    throw new CommandError(`${JSON.stringify(below)} would be written outside of ${folder}`);
  }
  return place;
}

const count = (files: number): string => (files === 1 ? '1 file' : `${files} files`);
