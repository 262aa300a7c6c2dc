// SPDX-License-Identifier: Apache-2.0
import { ApiError } from '@agenttier/client';
import type { FileEntry } from '@agenttier/client';
import { base64Of, encodedPath, listedName } from './filePaths.ts';
import type { FilePath } from './filePaths.ts';
import { placeOf } from './sandboxes.ts';
import type { SandboxKey } from './sandboxes.ts';
import type { Server } from './server.ts';

/** Something in a folder; `name` is encoded. */
export interface FolderEntry extends Pick<FileEntry, 'size' | 'isDir' | 'modifiedAt' | 'permissions'> {
  readonly name: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'device';
}

export interface Folder {
  readonly path: FilePath;
  readonly entries: readonly FolderEntry[];
  /** There is more in it than was asked for. */
  readonly more: boolean;
}

const PAGE = 1000;

/** What is in a folder; no path = the workspace. */
export async function listFolder(
  { api }: Server,
  key: SandboxKey,
  { path, pages }: { readonly path: FilePath; readonly pages: number },
  signal: AbortSignal,
): Promise<Folder> {
  const { params, query } = placeOf(key);
  const entries: FolderEntry[] = [];
  const asked = path === '' ? {} : { pathBase64: base64Of(path) };
  let found = path;
  let next: string | undefined;
  for (let page = 0; page < pages && (page === 0 || next !== undefined); page++) {
    const from = next === undefined ? {} : { continue: next };
    const listing = await api.listFiles(
      { params, query: { ...query, ...asked, ...from, limit: PAGE } },
      { signal },
    );
    entries.push(...listing.entries.map(entryOf));
    found ||= encodedPath(listing.path);
    next = listing.continue;
  }
  return { path: found, entries, more: next !== undefined };
}

/** What a link leads to, only the server knows. */
export async function isFolder({ api }: Server, key: SandboxKey, path: FilePath): Promise<boolean> {
  const { params, query } = placeOf(key);
  const look = api.listFiles({ params, query: { ...query, pathBase64: base64Of(path), limit: 1 } });
  return look.then(
    () => true,
    () => false,
  );
}

const entryOf = ({ size, isDir, modifiedAt, permissions, type, ...named }: FileEntry): FolderEntry => ({
  name: listedName(named),
  type: type as FolderEntry['type'],
  size,
  isDir,
  modifiedAt,
  permissions,
});

export async function makeFolder({ api }: Server, key: SandboxKey, path: FilePath): Promise<void> {
  await api.changeFiles({ ...placeOf(key), body: { op: 'mkdir', pathBase64: base64Of(path) } });
}

/** Gives it another name or place; what is at that place stays, and this is refused. */
export async function movePath(
  { api }: Server,
  key: SandboxKey,
  from: FilePath,
  to: FilePath,
): Promise<void> {
  const body = { op: 'move', pathBase64: base64Of(from), toBase64: base64Of(to) };
  await api.changeFiles({ ...placeOf(key), body });
}

export async function removePath(server: Server, key: SandboxKey, path: FilePath): Promise<void> {
  await sent(server, fileUrl(server, key, path, { recursive: 'true' }), { method: 'DELETE' });
}

/** A file as an editor has it: its text, and the tag of exactly these bytes. */
export interface TextFile {
  readonly text: string;
  readonly etag: string;
}

export type Opened =
  | { readonly kind: 'text'; readonly file: TextFile }
  | { readonly kind: 'binary' | 'large'; readonly size: number };

/** An editor on a page is no place for more. */
export const LARGEST_TEXT = 4 * 1024 * 1024;

export async function readText(
  server: Server,
  key: SandboxKey,
  path: FilePath,
  signal?: AbortSignal,
): Promise<Opened> {
  const response = await sent(server, fileUrl(server, key, path), signal === undefined ? {} : { signal });
  const size = Number(response.headers.get('Content-Length') ?? 0);
  if (size > LARGEST_TEXT) {
    await response.body?.cancel();
    return { kind: 'large', size };
  }
  const bytes = await response.arrayBuffer();
  const text = textIn(bytes);
  if (text === undefined) return { kind: 'binary', size: bytes.byteLength };
  return { kind: 'text', file: { text, etag: response.headers.get('ETag') ?? '' } };
}

/** A byte order mark is kept as a character, so that it is written again. */
function textIn(bytes: ArrayBuffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** What came of a write: it is stored, or the file is another by now; undefined = it is gone. */
export type TextSaved =
  | { readonly outcome: 'saved'; readonly etag: string }
  | { readonly outcome: 'changed'; readonly current: Opened | undefined };

/** Replaces the file that `etag` is of, and no other; no tag = there must be none. */
export async function saveText(
  server: Server,
  key: SandboxKey,
  path: FilePath,
  { text, etag }: { readonly text: string; readonly etag: string | undefined },
): Promise<TextSaved> {
  const condition: Record<string, string> =
    etag === undefined ? { 'If-None-Match': '*' } : { 'If-Match': etag };
  try {
    const response = await sent(server, fileUrl(server, key, path), {
      method: 'PUT',
      headers: condition,
      body: new Blob([text]),
    });
    return { outcome: 'saved', etag: ((await response.json()) as { etag: string }).etag };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 412) throw error;
    return { outcome: 'changed', current: await readText(server, key, path).catch(absent) };
  }
}

function absent(error: unknown): undefined {
  if (!(error instanceof ApiError) || error.status !== 404) throw error;
}

/** The address of a file. The typed client takes paths of text only, and names may be other bytes. */
export function fileUrl(
  { url }: Server,
  { sandboxId, namespace }: SandboxKey,
  path: FilePath,
  query: Readonly<Record<string, string>> = {},
): string {
  const search = new URLSearchParams({ ...(namespace === '' ? {} : { namespace }), ...query }).toString();
  return `${url}/api/v1/sandboxes/${encodeURIComponent(sandboxId)}/files${path}${search && `?${search}`}`;
}

/** Like the typed client, rejects with ApiError for an answer that is no success. */
export async function sent(server: Server, url: string, init: RequestInit): Promise<Response> {
  const response = await server.fetch(url, init);
  if (response.ok) return response;
  const text = await response.text().catch(() => '');
  throw new ApiError(response, bodyOf(text));
}

function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
