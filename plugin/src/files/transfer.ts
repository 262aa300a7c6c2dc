// SPDX-License-Identifier: Apache-2.0
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CommandError, messageOf } from '../context/failure.ts';
import { type Host, write } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { deliver } from '../exec/deliver.ts';
import { progressOf } from './progress.ts';
import { openRemote, type Remote } from './remote.ts';

export async function catFile(host: Host, options: VerbOptions): Promise<void> {
  const [name = '', path = ''] = options.args;
  const remote = await openRemote(host, options, name);
  await deliver(bodyOf(await remote.open(path)), host.streams.out);
}

export async function uploadFile(host: Host, options: VerbOptions): Promise<void> {
  const [name = '', local = '', given] = options.args;
  if (local === '-' && given === undefined) {
    throw new CommandError('standard input has no name: say what the file is to be called', 2);
  }
  const remote = await openRemote(host, options, name);
  const wanted = given ?? basename(local);
  const path = wanted.endsWith('/') ? `${wanted}${basename(local)}` : wanted;
  const bytes = await sendFile(host, remote, { local, path });
  await write(host.streams.out, `uploaded ${bytes} bytes to ${await remote.absolute(path)}\n`);
}

export async function writeFile(
  host: Host,
  options: VerbOptions & { readonly data?: string },
): Promise<void> {
  const [name = '', path = ''] = options.args;
  const remote = await openRemote(host, options, name);
  const { data } = options;
  if (data === undefined) await sendFile(host, remote, { local: '-', path });
  else await (await remote.open(path, { method: 'PUT', content: Buffer.from(data) })).body?.cancel();
  await write(host.streams.out, `wrote ${await remote.absolute(path)}\n`);
}

export async function downloadFile(host: Host, options: VerbOptions): Promise<void> {
  const [name = '', path = '', given = '.'] = options.args;
  const remote = await openRemote(host, options, name);
  const local = await fileAt(given, basename(path));
  const bytes = await fetchFile(host, await remote.open(path), local);
  await write(host.streams.out, `downloaded ${bytes} bytes to ${local}\n`);
}

export async function downloadArchive(
  host: Host,
  options: VerbOptions & { readonly path?: string; readonly format: string },
): Promise<void> {
  const [name = '', given = '.'] = options.args;
  const remote = await openRemote(host, options, name);
  const { format } = options;
  const path = options.path === undefined ? undefined : await remote.absolute(options.path);
  const answer = await openArchive(host, remote, { path, format });
  if (given === '-') return deliver(bodyOf(answer), host.streams.out);
  const local = await fileAt(given, `${basename(path ?? name)}.${format}`);
  const bytes = await fetchFile(host, answer, local);
  await write(host.streams.out, `downloaded ${bytes} bytes to ${local}\n`);
}

async function openArchive(
  host: Host,
  { rest }: Remote,
  query: { readonly path: string | undefined; readonly format: string },
): Promise<Response> {
  const { openRouter } = await import('../client/router.ts');
  return openRouter(rest.router, rest.url('/archive', query), { signal: host.signal, accept: '*/*' });
}

/** Streams a file of this machine, or standard input, into the sandbox. Answers how many bytes that were. */
export async function sendFile(
  host: Host,
  remote: Remote,
  { local, path, mode }: { readonly local: string; readonly path: string; readonly mode?: string },
): Promise<number> {
  const source = local === '-' ? { stream: host.streams.in, size: undefined } : await readable(local);
  const progress = progressOf(host, basename(path), source.size);
  const sending = pipeline(source.stream, progress.stream);
  // The request fails with it; until that is seen nobody else listens.
  sending.catch(() => undefined);
  try {
    const content = Readable.toWeb(progress.stream) as unknown as RequestInit['body'];
    const answer = await remote.open(
      path,
      { method: 'PUT', content, ...(source.size === undefined ? {} : { length: source.size }) },
      mode === undefined ? {} : { mode },
    );
    await answer.body?.cancel();
    return progress.bytes();
  } finally {
    progress.stream.destroy();
    progress.end();
  }
}

async function readable(local: string): Promise<{ stream: Readable; size: number }> {
  try {
    const { size } = await stat(local);
    return { stream: createReadStream(local), size };
  } catch (error) {
    throw new CommandError(`${local} cannot be read: ${messageOf(error)}`, 1, error);
  }
}

/** Written beside and moved into place when all of it is there, so that no part is taken for the whole. */
export async function fetchFile(host: Host, answer: Response, local: string): Promise<number> {
  const length = answer.headers.get('content-length');
  const total = length === null ? undefined : Number(length);
  const progress = progressOf(host, basename(local), total);
  const draft = `${local}.agenttier-${process.pid}`;
  try {
    await pipeline(bodyOf(answer), progress.stream, createWriteStream(draft));
    if (total !== undefined && progress.bytes() !== total) {
      throw new CommandError(`${local}: the connection ended after ${progress.bytes()} of ${total} bytes`);
    }
    await rename(draft, local);
    return progress.bytes();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    progress.end();
  }
}

const bodyOf = (answer: Response): Readable =>
  answer.body === null ? Readable.from([]) : Readable.fromWeb(answer.body);

/** The place itself, or a file of that name in it when it is a folder. */
async function fileAt(place: string, name: string): Promise<string> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => place.endsWith('/'),
  );
  return isFolder ? join(place, name) : place;
}
