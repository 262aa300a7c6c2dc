// SPDX-License-Identifier: Apache-2.0
import { text } from 'node:stream/consumers';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import type { Call, Handler, Reply } from '../route.ts';
import { carry } from './forward.ts';
import type { Carried, Errand, FilesOptions } from './forward.ts';
import { attachment, baseName, encodedRest } from './names.ts';

type Operations = Pick<
  Handlers,
  | 'listFiles'
  | 'changeFiles'
  | 'statFile'
  | 'readFile'
  | 'writeFile'
  | 'continueFile'
  | 'deleteFile'
  | 'downloadArchive'
  | 'uploadArchive'
>;

/** Files of a sandbox, streamed between the client and the runtime in its pod. */
export function fileOperations(options: FilesOptions): Operations {
  return {
    listFiles: (call) =>
      relayJson(options, call, {
        access: 'readFiles',
        method: 'GET',
        path: `/files?${queryOf(call, LISTING)}`,
      }),
    statFile: (call) =>
      relayJson(options, call, {
        access: 'readFiles',
        method: 'GET',
        path: `/files?depth=0&${queryOf(call, PLACE)}`,
      }),
    changeFiles: (call) =>
      relayJson(options, call, {
        access: 'writeFiles',
        method: 'POST',
        path: '/files:op',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(call.body),
        note: 'Files were changed',
      }),
    readFile: (call) => download(options, call),
    writeFile: (call) => upload(options, call, 'PUT'),
    continueFile: (call) => upload(options, call, 'PATCH'),
    deleteFile: (call) => remove(options, call),
    downloadArchive: (call) => pack(options, call),
    uploadArchive: unpack(options),
  };
}

const PLACE = ['path', 'pathBase64'];
const LISTING = [...PLACE, 'depth', 'limit', 'continue'];

/** What a client may ask about a file with (RFC 9110, 13 and 14). */
const READING = [
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
];
const WRITING = ['content-length', 'content-range', 'if-match', 'if-none-match'];
/** What the runtime tells about it. */
const TOLD = [
  'content-length',
  'content-range',
  'content-type',
  'accept-ranges',
  'etag',
  'last-modified',
  'range',
];

async function relayJson(options: FilesOptions, call: Call, errand: Errand): Promise<Reply> {
  const carried = await carry(options, call, errand);
  const body = await text(carried.answer.stream);
  return { status: carried.answer.status, headers: headersOf(carried), json: () => body };
}

/** The bytes of the file at `path`. */
export async function download(options: FilesOptions, call: Call): Promise<Reply> {
  const carried = await carry(options, call, {
    access: 'readFiles',
    method: call.head ? 'HEAD' : 'GET',
    path: filePath(call),
    headers: picked(call.headers, READING),
    ...(call.head ? {} : { note: 'A file was read' }),
  });
  const headers = {
    ...headersOf(carried),
    'X-Content-Type-Options': 'nosniff',
    'Content-Disposition': attachment(baseName(restOf(call))),
  };
  return streamed(carried, headers, call.head === true);
}

async function upload(options: FilesOptions, call: Call, method: 'PUT' | 'PATCH'): Promise<Reply> {
  const query = queryOf(call, ['mode', 'upload']);
  const carried = await carry(options, call, {
    access: 'writeFiles',
    method,
    path: `${filePath(call)}?${query}`,
    headers: picked(call.headers, WRITING),
    body: call.stream,
    note: 'A file was written',
  });
  const body = await text(carried.answer.stream);
  return { status: carried.answer.status, headers: headersOf(carried), json: () => body };
}

async function remove(options: FilesOptions, call: Call): Promise<Reply> {
  const carried = await carry(options, call, {
    access: 'writeFiles',
    method: 'DELETE',
    path: `${filePath(call)}?${queryOf(call, ['recursive', 'upload'])}`,
    headers: picked(call.headers, ['if-match', 'if-none-match']),
    note: 'Files were deleted',
  });
  carried.answer.stream.resume();
  return { status: 204, headers: headersOf(carried) };
}

/** The folder of the query, packed. */
export async function pack(options: FilesOptions, call: Call): Promise<Reply> {
  const carried = await carry(options, call, {
    access: 'readFiles',
    // The runtime would make the archive for its head as well.
    method: 'GET',
    path: `/archive?${queryOf(call, [...PLACE, 'format', 'skipUnreadable'])}`,
    note: 'A folder was read as an archive',
  });
  const name = `${carried.sandbox.metadata.name}-${folderName(call)}.${call.query.get('format') || 'zip'}`;
  const headers = {
    ...headersOf(carried),
    'X-Content-Type-Options': 'nosniff',
    'Content-Disposition': attachment(Buffer.from(name)),
  };
  return streamed(carried, headers, call.head === true);
}

function folderName({ query }: Call): string {
  const path = query.get('path') ?? Buffer.from(query.get('pathBase64') ?? '', 'base64url').toString();
  return path.split('/').findLast((part) => part !== '') ?? 'workspace';
}

const unpack =
  (options: FilesOptions): Handler =>
  (call) =>
    relayJson(options, call, {
      access: 'writeFiles',
      method: 'PUT',
      path: `/archive?${queryOf(call, [...PLACE, 'format'])}`,
      headers: picked(call.headers, ['content-length']),
      body: call.stream,
      note: 'An archive was unpacked',
    });

/** The answer's bytes as they come; for its head alone none of them is asked for. */
function streamed({ answer }: Carried, headers: Record<string, string>, head: boolean): Reply {
  if (!head && answer.status !== 304) return { status: answer.status, headers, stream: answer.stream };
  answer.stream.destroy();
  return { status: answer.status, headers };
}

function headersOf({ answer }: Carried): Record<string, string> {
  const { 'content-length': length, ...others } = picked(answer.headers, TOLD);
  const isJson = others['content-type']?.startsWith('application/json') ?? false;
  return {
    ...others,
    ...(isJson || length === undefined ? {} : { 'content-length': length }),
    'X-AgentTier-Transport': answer.transport,
  };
}

function picked(headers: Call['headers'], names: readonly string[]): Record<string, string> {
  const found = names.map((name) => [name, headers[name]] as const);
  return Object.fromEntries(found.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}

function queryOf({ query }: Call, names: readonly string[]): string {
  const given = names.map((name) => [name, query.get(name)] as const);
  const named = given.filter((pair): pair is [string, string] => pair[1] !== null);
  return new URLSearchParams(named).toString();
}

const restOf = ({ params }: Call): string => params['path'] ?? '';

function filePath(call: Call): string {
  const rest = encodedRest(restOf(call));
  if (/%(?![0-9a-f]{2})/i.test(rest)) {
    throw refusals.badRequest(
      'path: a % must be followed by two hexadecimal digits; write %25 for the character itself',
    );
  }
  return `/files/${rest}`;
}
