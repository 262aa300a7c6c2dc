// SPDX-License-Identifier: Apache-2.0
import { errorOf, retryAfterOf } from './error.ts';
import { readEvents } from './events.ts';
import { OPERATIONS } from './generated/operations.ts';
import type { Operations, Place } from './generated/operations.ts';
import { urlOf } from './url.ts';
import { NO_RETRIES, waitBefore } from './retry.ts';
import type { RetryOptions } from './retry.ts';

export { ApiError } from './error.ts';
export type { ServerEvent } from './events.ts';
export type * from './generated/operations.ts';
export type { RetryOptions } from './retry.ts';

export interface ClientOptions {
  /** Where the router is, without `/api/v1`. */
  readonly url: string;
  readonly apiKey?: string;
  /** A bearer token, or what gives one: it is asked before each request, so that it can renew what expires. */
  readonly token?: string | (() => string | Promise<string>);
  /** Default: no request is sent twice. */
  readonly retry?: Partial<RetryOptions>;
  readonly fetch?: typeof globalThis.fetch;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

type Input<O extends keyof Operations> = Omit<Operations[O], 'answer'>;

/** Input may be left out where nothing in it must be given. */
type Arguments<O extends keyof Operations> =
  Record<string, never> extends Input<O>
    ? [input?: Input<O>, options?: CallOptions]
    : [input: Input<O>, options?: CallOptions];

/** One method per operation of the API. Each rejects with ApiError for an answer that is no success. */
export type Client = {
  readonly [O in keyof Operations]: (...given: Arguments<O>) => Promise<Operations[O]['answer']>;
};

/** In words that browsers and Node both know. */
type Body = NonNullable<RequestInit['body']>;

interface Given {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** A client of one router. It keeps no connection of its own and needs no closing. */
export function createClient(options: ClientOptions): Client {
  const methods = Object.entries(OPERATIONS).map(([name, place]: [string, Place]) => [
    name,
    (given: Given = {}, call: CallOptions = {}) => send(options, place, given, call),
  ]);
  return Object.fromEntries(methods) as Client;
}

/** What became of one try. */
interface Outcome {
  readonly response?: Response;
  /** Why there was no answer. */
  readonly error?: unknown;
}

async function send(options: ClientOptions, place: Place, given: Given, call: CallOptions): Promise<unknown> {
  const url = urlOf(options.url, place, given);
  const again = repetitionOf(options, place, given);
  for (let tries = 1; ; tries++) {
    const outcome = await attempt(options, url, await requestOf(options, place, given, call));
    if (outcome.response?.ok) return answerOf(outcome.response);
    const wait = call.signal?.aborted ? undefined : again(tries, outcome.response);
    if (wait === undefined) throw outcome.response ? await errorOf(outcome.response) : outcome.error;
    await outcome.response?.body?.cancel();
    await pause(wait, call.signal);
  }
}

async function attempt(
  { fetch = globalThis.fetch }: ClientOptions,
  url: string,
  request: RequestInit,
): Promise<Outcome> {
  try {
    return { response: await fetch(url, request) };
  } catch (error) {
    return { error };
  }
}

/** Says after so many tries how long to wait for the next one. A stream cannot be sent twice, nor one be read from its middle. */
function repetitionOf({ retry }: ClientOptions, { method, answers }: Place, { body }: Given) {
  const rules = { ...NO_RETRIES, ...retry };
  const repeatable = !(body instanceof ReadableStream) && !answers.includes('events');
  return (tries: number, response: Response | undefined): number | undefined => {
    const outcome = response && { status: response.status, retryAfter: retryAfterOf(response) };
    return repeatable ? waitBefore({ method, tries, ...outcome }, rules) : undefined;
  };
}

async function requestOf(
  options: ClientOptions,
  { method, answers }: Place,
  { body }: Given,
  { signal, headers }: CallOptions,
): Promise<RequestInit> {
  const isStream = body instanceof ReadableStream;
  return {
    method,
    headers: {
      Accept: answers.includes('events') ? 'text/event-stream, application/json' : 'application/json, */*',
      ...(await credentials(options)),
      ...(isPlain(body) ? { 'Content-Type': 'application/json' } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isPlain(body) ? JSON.stringify(body) : (body as Body) }),
    ...(signal === undefined ? {} : { signal }),
    // The Fetch standard asks for it where a body is a stream; older type libraries do not know it.
    ...(isStream ? { duplex: 'half' } : {}),
  };
}

async function credentials({ apiKey, token }: ClientOptions): Promise<Record<string, string>> {
  if (apiKey !== undefined) return { 'X-API-Key': apiKey };
  if (token === undefined) return {};
  return { Authorization: `Bearer ${typeof token === 'string' ? token : await token()}` };
}

/** To be sent as JSON; everything that fetch knows as a body goes as it is. */
function isPlain(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const { constructor } = body;
  return Array.isArray(body) || constructor === Object || constructor === undefined;
}

/** By what came: one operation may answer in several ways. */
async function answerOf(response: Response): Promise<unknown> {
  const type = response.headers.get('Content-Type') ?? '';
  if (type.startsWith('text/event-stream') && response.body) return readEvents(response.body);
  if (type.startsWith('application/json')) return response.json();
  if (response.status === 204) return undefined;
  return response;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- a signal's reason is whatever its owner gave
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
