// SPDX-License-Identifier: Apache-2.0
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { connectTo } from '@agenttier/machinery/tcp/connect';
import type { RuntimeAddress } from './address.ts';

export interface RuntimeCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path with its query, such as `/hooks/onStop`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Milliseconds until the whole answer must be there; 5 s when left out. */
  readonly timeoutMs?: number;
  /** Milliseconds until the connection must stand; 2 s when left out. */
  readonly connectMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * What came of a call. A failure is a value, since each of them is something that a decision has to deal with:
 * - `unreachable`: no connection came about, so the runtime never saw the request.
 * - `lost`: the request was sent and no whole answer came in time; it may have been carried out.
 * - `refused`: the runtime answered with another status than 2xx.
 * - `aborted`: the caller's own signal ended it; it may have been carried out.
 */
export type RuntimeAnswer<T> =
  | { readonly ok: true; readonly status: number; readonly body: T }
  | RuntimeFailure;

export interface RuntimeFailure {
  readonly ok: false;
  readonly cause: 'unreachable' | 'lost' | 'refused' | 'aborted';
  /** Of a refusal. */
  readonly status?: number;
  readonly message: string;
}

/** Asks the runtime in a pod. `T` is the shape of the JSON answer, `undefined` for an empty one; it is not checked. */
export type AskRuntime = <T = unknown>(
  address: RuntimeAddress,
  call: RuntimeCall,
) => Promise<RuntimeAnswer<T>>;

const TIMEOUT_MS = 5_000;
/** A pod on a reachable network answers within milliseconds; packets that a policy swallows never do. */
const CONNECT_MS = 2_000;
/** What a runtime may answer: the operator must not be filled up by what runs in a sandbox. */
const MAX_ANSWER = 4 * 1024 * 1024;

/**
 * One call on a connection of its own: an address may belong to another pod a moment later, so none is kept. Never
 * rejects.
 */
export const askRuntime: AskRuntime = async <T>(address: RuntimeAddress, call: RuntimeCall) => {
  const limit = AbortSignal.timeout(call.timeoutMs ?? TIMEOUT_MS);
  const signal = call.signal === undefined ? limit : AbortSignal.any([call.signal, limit]);
  const progress = { connected: false };
  try {
    const { host, port } = address;
    const socket = await connectTo({ host, port, timeoutMs: call.connectMs ?? CONNECT_MS, signal });
    progress.connected = true;
    const response = await send(socket, address, call, signal);
    return answerOf<T>(response, await textOf(response));
  } catch (error) {
    return failureOf(error, call, progress.connected, limit.aborted);
  }
};

function send(
  socket: Socket,
  { host, port, token }: RuntimeAddress,
  { method, path, body }: RuntimeCall,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = {
    authorization: `Bearer ${token}`,
    ...(content === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': content.length }),
  };
  return new Promise((resolve, reject) => {
    const options = { host, port, method, path, headers, signal, createConnection: () => socket };
    const outgoing = request(options, resolve);
    outgoing.on('close', () => socket.destroy());
    outgoing.on('error', reject);
    outgoing.end(content);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER) throw new Error(`the answer is larger than ${MAX_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function answerOf<T>({ statusCode: status = 0 }: IncomingMessage, text: string): RuntimeAnswer<T> {
  const body = text === '' ? undefined : parse(text);
  if (status < 200 || status > 299) {
    const said = (body as { error?: unknown } | undefined)?.error;
    const message = typeof said === 'string' ? said : `the runtime answered with status ${status}`;
    return { ok: false, cause: 'refused', status, message };
  }
  if (text !== '' && body === undefined) {
    return { ok: false, cause: 'lost', message: 'the answer of the runtime is no JSON' };
  }
  return { ok: true, status, body: body as T };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failureOf(
  error: unknown,
  { signal, timeoutMs = TIMEOUT_MS }: RuntimeCall,
  connected: boolean,
  late: boolean,
): RuntimeFailure {
  if (signal?.aborted) return { ok: false, cause: 'aborted', message: 'the call was given up' };
  const text = error instanceof Error ? error.message : String(error);
  const message = late ? `no answer of the runtime within ${timeoutMs} ms` : text;
  return { ok: false, cause: connected ? 'lost' : 'unreachable', message };
}
