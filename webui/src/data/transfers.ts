// SPDX-License-Identifier: Apache-2.0
import { ApiError } from '@agenttier/client';
import { base64Of } from './filePaths.ts';
import type { FilePath } from './filePaths.ts';
import { fileUrl, sent } from './files.ts';
import { placeOf } from './sandboxes.ts';
import type { SandboxKey } from './sandboxes.ts';
import type { Server } from './server.ts';

const MIB = 1024 * 1024;
const SMALLEST_PIECE = MIB / 4;
const FIRST_PIECE = MIB;
const LARGEST_PIECE = 16 * MIB;
/** Tries in a row that get nowhere before it is given up. */
const MAX_FAILURES = 6;

export interface Upload {
  readonly path: FilePath;
  readonly file: Blob;
  /** Takes the place of a file that is there; otherwise that is refused. */
  readonly replace: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
  /** Between tries after a broken connection; given by tests only. */
  readonly pauseMs?: number;
}

/** Pieces that take about a second or two: progress is seen, and little is sent twice. */
export function nextPiece(size: number, ms: number): number {
  if (ms < 700) return Math.min(size * 2, LARGEST_PIECE);
  return ms > 3000 ? Math.max(size / 2, SMALLEST_PIECE) : size;
}

/**
 * Uploads a file, as a whole or not at all. A long one goes in pieces, each a request of its own: so its progress is
 * known, a sign-in may be renewed on the way, and a connection that breaks costs a piece and not the upload.
 */
export async function uploadFile(server: Server, key: SandboxKey, upload: Upload): Promise<void> {
  const { path, file, signal, onProgress } = upload;
  if (file.size <= FIRST_PIECE) {
    const init = { method: 'PUT', headers: conditionOf(upload), body: file, signal };
    await sent(server, fileUrl(server, key, path), init);
    return onProgress(file.size);
  }
  const id = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16)).join('');
  const url = fileUrl(server, key, path, { upload: id });
  try {
    await inPieces(server, url, upload);
  } catch (error) {
    // What has come so far would stay on the disk. Nobody waits for this; the page may be offline.
    void server.fetch(url, { method: 'DELETE' }).catch(() => undefined);
    throw error;
  }
}

const conditionOf = ({ replace }: Upload): Record<string, string> =>
  replace ? {} : { 'If-None-Match': '*' };

async function inPieces(server: Server, url: string, upload: Upload): Promise<void> {
  const { file, signal, onProgress, pauseMs = 1000 } = upload;
  let size = FIRST_PIECE;
  let failures = 0;
  let most = 0;
  for (let received: number | undefined = 0; received === undefined || received < file.size; ) {
    const began = performance.now();
    try {
      received = await sendPiece(server, url, upload, { from: received, size });
      if (received > most) failures = 0;
      most = Math.max(most, received);
      size = nextPiece(size, performance.now() - began);
      onProgress(received);
    } catch (error) {
      if (signal.aborted || !isPassing(error) || ++failures >= MAX_FAILURES) throw error;
      await pause(pauseMs * failures, signal);
      received = undefined;
    }
  }
}

/** Sends what comes next, or asks how much has come where that is not known; returns how much has. */
async function sendPiece(
  server: Server,
  url: string,
  upload: Upload,
  { from, size }: { readonly from: number | undefined; readonly size: number },
): Promise<number> {
  const { file, signal } = upload;
  const piece = from === undefined ? undefined : file.slice(from, from + size);
  const range = piece === undefined ? '*' : `${from}-${(from ?? 0) + piece.size - 1}`;
  const response = await sent(server, url, {
    method: 'PATCH',
    headers: { ...conditionOf(upload), 'Content-Range': `bytes ${range}/${file.size}` },
    signal,
    ...(piece === undefined ? {} : { body: piece }),
  });
  if (response.status === 201) return file.size;
  return ((await response.json()) as { received: number }).received;
}

const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const PASSING_CODES: ReadonlySet<string> = new Set(['upload_gap', 'upload_busy']);

/** Is it worth another try? TypeError is how fetch says that the network failed. */
const isPassing = (error: unknown): boolean =>
  error instanceof ApiError
    ? PASSING.has(error.status) || PASSING_CODES.has(error.code)
    : error instanceof TypeError;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const stop = (): void => (clearTimeout(timer), reject(signal.reason as Error));
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** An address that the browser downloads from by itself, once and soon: it stores what comes, however much that is. A folder comes as zip. */
export async function downloadAddress(
  server: Server,
  key: SandboxKey,
  path: FilePath,
  isFolder: boolean,
): Promise<string> {
  const body = { pathBase64: base64Of(path), ...(isFolder ? { format: 'zip' as const } : {}) };
  const { url } = await server.api.createDownloadTicket({ ...placeOf(key), body });
  return `${server.url}${url}`;
}
