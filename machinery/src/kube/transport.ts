// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { reasonOf, systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ClusterAccess } from './access.ts';
import { errorFromResponse, isKubeError, KubeError, networkError } from './errors.ts';
import type { Impersonation } from './impersonation.ts';
import { impersonationHeaders } from './impersonation.ts';
import { retryDelay } from './retry.ts';
import { warningTexts } from './warnings.ts';

export interface TransportOptions {
  /** Sockets for ordinary calls; watches have their own, so that they never starve them. Default 32. */
  readonly connections?: number | undefined;
  readonly userAgent?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly headers?: Readonly<Record<string, string | string[]>> | undefined;
  /** Sent as JSON unless it is a string, which is sent as it is. */
  readonly body?: unknown;
  readonly contentType?: string | undefined;
  /** May be sent a second time without harm. Default: the method is GET, HEAD, PUT or DELETE. */
  readonly idempotent?: boolean | undefined;
}

export interface CallControl {
  readonly signal?: AbortSignal | undefined;
  readonly impersonate?: Impersonation | undefined;
  /** Limit for the whole call with its repetitions; default 30 s. */
  readonly timeoutMs?: number | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed when the answer is JSON, the text otherwise, undefined when empty. */
  readonly body: unknown;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** How long the pools may take to report that they are closed. */
const CLOSE_MS = 1_000;

/** Below the 90 s after which the API server closes idle sockets: we close first, so no call meets a dying socket. */
const KEEP_ALIVE_MS = 55_000;
const CONNECT_TIMEOUT_MS = 10_000;

/** HTTP to one API server: pooled sockets, credentials on every request, bounded repetition, KubeError for failures. */
export class Transport {
  readonly #access: ClusterAccess;
  readonly #calls: Pool;
  readonly #streams: Pool;
  readonly #userAgent: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #prefix: string;

  constructor(access: ClusterAccess, options: TransportOptions = {}) {
    const url = new URL(access.server);
    this.#access = access;
    this.#prefix = url.pathname.replace(/\/$/, '');
    this.#userAgent = options.userAgent ?? 'agenttier';
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    const settings = poolSettings(access);
    this.#calls = new Pool(url.origin, { ...settings, connections: options.connections ?? 32 });
    this.#streams = new Pool(url.origin, { ...settings, connections: null });
  }

  /** One call, repeated on 429, 503 and cut sockets where that is harmless. Throws KubeError for every code >= 400. */
  async call(call: Call, control: CallControl = {}): Promise<Answer> {
    const deadline = this.#clock.monotonic() + (control.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const idempotent = call.idempotent ?? /^(GET|HEAD|PUT|DELETE)$/.test(call.method);
    for (let attempt = 1; ; attempt++) {
      const left = deadline - this.#clock.monotonic();
      try {
        return await this.#once(call, control, Math.max(1, left));
      } catch (error) {
        const delay = idempotent && isKubeError(error) ? retryDelay(error, attempt, this.#random) : undefined;
        if (delay === undefined || this.#clock.monotonic() + delay >= deadline) throw error;
        await this.#clock.sleep(delay, control.signal);
      }
    }
  }

  /**
   * Opens a long answer and hands over its bytes as they come. Fails when nothing at all arrives for `idleMs`: a
   * connection whose other end vanished without a reset is silent for ever.
   */
  async stream(
    call: Call,
    control: CallControl & { readonly idleMs: number },
  ): Promise<AsyncIterable<Buffer>> {
    try {
      const response = await this.#send(this.#streams, call, control, {
        headersTimeout: control.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        bodyTimeout: control.idleMs,
        signal: control.signal ?? null,
      });
      if (response.statusCode >= 400) throw await failure(response);
      return response.body;
    } catch (error) {
      throw this.#explain(error, call, control.signal, undefined);
    }
  }

  /**
   * Closes all sockets, watches too. Under load the pool was seen never to report its end after requests were aborted in
   * the same instant; the sockets are cut by then, so a process that wants to end need not wait for the report.
   */
  async close(): Promise<void> {
    const reported = Promise.all([this.#calls.destroy(), this.#streams.destroy()]);
    await Promise.race([reported, pause(CLOSE_MS, undefined, { ref: false })]);
  }

  async #once(call: Call, control: CallControl, timeoutMs: number): Promise<Answer> {
    const limit = limited(control.signal, timeoutMs);
    try {
      const timeouts = { headersTimeout: 0, bodyTimeout: 0, signal: limit.signal };
      const response = await this.#send(this.#calls, call, control, timeouts);
      if (response.statusCode >= 400) throw await failure(response);
      return { status: response.statusCode, headers: response.headers, body: await parsed(response) };
    } catch (error) {
      throw this.#explain(error, call, control.signal, limit.signal.aborted ? timeoutMs : undefined);
    } finally {
      limit.release();
    }
  }

  async #send(
    pool: Pool,
    call: Call,
    control: CallControl,
    timeouts: Pick<Dispatcher.RequestOptions, 'headersTimeout' | 'bodyTimeout' | 'signal'>,
  ): Promise<Dispatcher.ResponseData> {
    const token = await this.#access.token?.();
    const { headers, body } = payload(call);
    const response = await pool.request({
      method: call.method,
      path: `${this.#prefix}${call.path}${queryString(call.query)}`,
      headers: {
        accept: 'application/json',
        'user-agent': this.#userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...impersonationHeaders(control.impersonate),
        ...headers,
      },
      body,
      ...timeouts,
    });
    if (control.onWarning) warningTexts(response.headers['warning']).forEach(control.onWarning);
    return response;
  }

  /** Turns undici's failures into KubeError with the call's name; an abort by the caller stays the caller's reason. */
  #explain(
    error: unknown,
    call: Call,
    signal: AbortSignal | undefined,
    timedOutMs: number | undefined,
  ): Error {
    if (signal?.aborted) return reasonOf(signal);
    if (isKubeError(error) || error instanceof TypeError) return error;
    const what = `${call.method} ${call.path}`;
    if (timedOutMs !== undefined)
      return networkError(`${what}: no answer within ${Math.round(timedOutMs)} ms`, error);
    const text = error instanceof Error ? describe(error) : String(error);
    return networkError(`${what}: ${text}`, error);
  }
}

/** undici reports several failed addresses as an AggregateError with an empty message. */
function describe(error: Error): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return (first instanceof Error ? first.message : error.message) || error.name;
}

function poolSettings(access: ClusterAccess): Pool.Options {
  return {
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // HTTP/2 would carry all calls of a process on one socket, where a slow list holds up the rest.
    allowH2: false,
    connect: {
      timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      ...tlsSettings(access),
    },
  };
}

/** Certificates and names for TLS to the API server, for undici and for the WebSocket of exec alike. */
export function tlsSettings(access: ClusterAccess): {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  rejectUnauthorized?: boolean;
} {
  return {
    ...(access.ca === undefined ? {} : { ca: access.ca }),
    ...(access.clientCert === undefined ? {} : { cert: access.clientCert }),
    ...(access.clientKey === undefined ? {} : { key: access.clientKey }),
    ...(access.tlsServerName === undefined ? {} : { servername: access.tlsServerName }),
    ...(access.insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
  };
}

function payload(call: Call): { headers: Record<string, string | string[]>; body: string | null } {
  if (call.body === undefined) return { headers: { ...call.headers }, body: null };
  const body = typeof call.body === 'string' ? call.body : JSON.stringify(call.body);
  return { headers: { 'content-type': call.contentType ?? 'application/json', ...call.headers }, body };
}

export function queryString(query: Call['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') parameters.append(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

async function parsed(response: Dispatcher.ResponseData): Promise<unknown> {
  const text = await response.body.text();
  if (text === '') return undefined;
  const json = String(response.headers['content-type'] ?? '').includes('json');
  if (!json) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KubeError({
      status: 0,
      reason: 'NetworkError',
      message: `the answer (${response.statusCode}, ${text.length} characters) is not valid JSON`,
      cause: error,
    });
  }
}

async function failure(response: Dispatcher.ResponseData): Promise<KubeError> {
  const retryAfter = response.headers['retry-after'];
  const body = await parsed(response).catch(() => undefined);
  return errorFromResponse(response.statusCode, body, Array.isArray(retryAfter) ? retryAfter[0] : retryAfter);
}

/**
 * A signal that aborts with the caller's or after a time. By hand and released after each call: `AbortSignal.any` keeps
 * a reference from a long-lived source to each of its children until they are collected.
 */
function limited(
  source: AbortSignal | undefined,
  timeoutMs: number,
): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort(reasonOf(source));
  const timer = setTimeout(() => controller.abort(new Error('timed out')), timeoutMs);
  if (source?.aborted) abort();
  source?.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      source?.removeEventListener('abort', abort);
    },
  };
}
