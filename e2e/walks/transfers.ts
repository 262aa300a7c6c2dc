// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { apiKey, apiUrl } from './harness.ts';
import type { Json } from './harness.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** Of JSON. */
  readonly body: Json;
}

export interface Sending {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable | Buffer | string;
}

/** A request whose path goes out as it is, and whose answer comes as a stream. */
export function open(method: string, path: string, sending: Sending = {}): Promise<IncomingMessage> {
  const { hostname, port } = new URL(apiUrl);
  const headers = { 'X-API-Key': apiKey, ...sending.headers };
  return new Promise((resolve, reject) => {
    const call = request({ method, hostname, port, path: `/api/v1${path}`, headers }, resolve);
    call.on('error', reject);
    const { body } = sending;
    // An answer that comes before the end of an upload ends it, too.
    if (body instanceof Readable) pipeline(body, call).catch(() => undefined);
    else call.end(body);
  });
}

export async function ask(method: string, path: string, sending: Sending = {}): Promise<Answer> {
  const answer = await open(method, path, sending);
  const bytes = await buffer(answer);
  const isJson = answer.headers['content-type']?.startsWith('application/json') ?? false;
  const body: Json = isJson ? JSON.parse(bytes.toString()) : undefined;
  return { status: answer.statusCode ?? 0, headers: answer.headers, bytes, body };
}

/** The path of a file below /files, each part encoded. */
export const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

export const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

export async function sumOfStream(stream: Readable): Promise<{ sum: string; size: number }> {
  const hash: Hash = createHash('sha256');
  let size = 0;
  for await (const chunk of stream) {
    size += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
  }
  return { sum: hash.digest('hex'), size };
}

const CHUNK = 1024 * 1024;

/** That many bytes that do not compress, and their sum, which is known when all were read. */
export function noise(size: number): { readonly stream: Readable; readonly sum: () => string } {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, size % 251), Buffer.alloc(16));
  const zeros = Buffer.alloc(CHUNK);
  const hash = createHash('sha256');
  let left = size;
  const stream = new Readable({
    read() {
      const part = cipher.update(left < CHUNK ? zeros.subarray(0, left) : zeros);
      left -= part.length;
      hash.update(part);
      this.push(part.length === 0 ? null : part);
    },
  });
  let sum: string | undefined;
  return { stream, sum: () => (sum ??= hash.digest('hex')) };
}
