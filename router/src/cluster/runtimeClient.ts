// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { WebSocket } from 'ws';
import { isConnectFault, RuntimeLost, RuntimeRefused, RuntimeUnreachable } from './runtimeErrors.ts';
import type { RuntimeAddress } from './target.ts';

export interface ExecRequest {
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  readonly stdin?: string;
  readonly workingDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Of stdin, stdout and stderr. */
  readonly encoding?: 'utf-8' | 'base64';
  /** Bytes of each stream that are kept. */
  readonly limits?: { readonly stdout?: number; readonly stderr?: number };
  /** Nobody waits: the answer is an id. */
  readonly detach?: true;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  readonly timedOut: boolean;
  readonly truncated?: boolean;
}

/** Any request to a runtime; its token is added. */
export interface RuntimeRequest {
  readonly method: Dispatcher.HttpMethod;
  /** With the query, encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * A stream is read as fast as the runtime takes it, never more, and left as it is when the runtime answers before its
   * end or cannot be reached. Without a `content-length` among the headers it is sent chunked.
   */
  readonly body?: Readable | Buffer | string | undefined;
  readonly signal: AbortSignal;
}

/** What the runtime answers, whatever the status. */
export interface RuntimeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Must be read to its end or destroyed. It fails when the runtime breaks off, so no part is taken for the whole. */
  readonly stream: Readable;
}

export interface PtyQuery {
  readonly session: string;
  readonly mode: 'control' | 'view';
  readonly since?: string;
  /** Name that the others who are attached see. */
  readonly who?: string;
  /** What a new session does with the alternate screen; absent = as the sandbox says. */
  readonly altscreen?: string;
  /** Nonce of a ticket that the runtime has not been told of. */
  readonly ticket?: string;
  readonly cols?: number;
  readonly rows?: number;
}

/** A pod on a reachable network answers a connect within milliseconds; a filtered port never does. */
const CONNECT_MS = 1500;
/** Below the runtime's own idle limit, so that we and not it end a connection and no command meets a dying socket. */
const KEEP_ALIVE_MS = 20_000;
/** What the answer of a command that ran out of time may take beyond its timeout. */
const GRACE_MS = 10_000;
/** Streams hold theirs for as long as they last. Connections are made when needed, so a quiet pod has none. */
const CONNECTIONS_PER_POD = 128;
/** Output frames of the runtime are small; this only bounds what a broken peer can make us hold. */
const MAX_FRAME = 4 * 1024 * 1024;

/** Speaks HTTP and WebSocket with the runtimes inside the pods, over connections that are kept per pod. */
export class RuntimeClient {
  readonly #port: number;
  /** By pod uid: when an address is handed out again, the new pod must not inherit connections to the old one. */
  readonly #pools = new Map<string, { readonly pool: Pool; readonly podIP: string }>();

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * Runs a command to its end. Throws RuntimeUnreachable when nothing was sent, so another way may be tried, and
   * RuntimeLost when the command may have run.
   */
  async exec(address: RuntimeAddress, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
    const deadline = AbortSignal.timeout(request.timeoutSeconds * 1000 + GRACE_MS);
    const { statusCode, body } = await this.#pool(address)
      .request({
        method: 'POST',
        path: '/exec',
        headers: { authorization: `Bearer ${address.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(request),
        signal: AbortSignal.any([signal, deadline]),
      })
      .catch((error: unknown) => {
        throw this.#fault(error, signal);
      });
    const answer = await body.json().catch((error: unknown) => {
      throw this.#fault(error, signal);
    });
    if (statusCode !== 200) throw new RuntimeRefused(statusCode, answer);
    return answer as ExecResult;
  }

  /**
   * Sends a request and resolves with the head of the answer, whose body then streams. Throws RuntimeUnreachable when
   * nothing was sent and RuntimeLost when something may have been; no status is an error here.
   */
  async request(address: RuntimeAddress, request: RuntimeRequest): Promise<RuntimeAnswer> {
    const { method, path, headers = {}, body, signal } = request;
    const answer = await this.#pool(address)
      .request({
        method,
        path,
        headers: { ...headers, authorization: `Bearer ${address.token}` },
        body: lent(body),
        signal,
      })
      .catch((error: unknown) => {
        throw this.#fault(error, signal);
      });
    // Who destroys it before its end does not want to hear of it.
    answer.body.on('error', () => undefined);
    return { status: answer.statusCode, headers: answer.headers, stream: answer.body };
  }

  /** Opens a terminal; resolves once the runtime has accepted it. The socket is paused: attach listeners, then resume. */
  dialPty(address: RuntimeAddress, query: PtyQuery): Promise<WebSocket> {
    const socket = new WebSocket(this.#ptyUrl(address, query), [PTY_PROTOCOL_V2], {
      headers: { authorization: `Bearer ${address.token}` },
      handshakeTimeout: CONNECT_MS,
      maxPayload: MAX_FRAME,
      perMessageDeflate: false,
      followRedirects: false,
    });
    return new Promise((resolve, reject) => {
      socket.once('open', () => {
        socket.pause();
        socket.removeAllListeners('error');
        resolve(socket);
      });
      socket.once('unexpected-response', (request, response) => {
        response.resume();
        request.destroy();
        reject(new RuntimeRefused(response.statusCode ?? 0, undefined));
      });
      socket.on('error', (error: Error) => reject(new RuntimeUnreachable(error.message, { cause: error })));
    });
  }

  /** The pod is gone: drops its connections. Running commands on them fail. */
  async forget(podUid: string): Promise<void> {
    const entry = this.#pools.get(podUid);
    this.#pools.delete(podUid);
    await entry?.pool.destroy();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.keys()].map((uid) => this.forget(uid)));
  }

  #pool({ podUid, podIP }: RuntimeAddress): Pool {
    const entry = this.#pools.get(podUid);
    if (entry?.podIP === podIP) return entry.pool;
    void entry?.pool.destroy();
    const pool = new Pool(`http://${hostOf(podIP)}:${this.#port}`, {
      connections: CONNECTIONS_PER_POD,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: { timeout: CONNECT_MS },
      // Headers may come when a command ends, and events hours apart: whoever asks sets the limit, not the client.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#pools.set(podUid, { pool, podIP });
    return pool;
  }

  #fault(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const text = error instanceof Error ? error.message : String(error);
    if (isConnectFault(error)) return new RuntimeUnreachable(text, { cause: error });
    return new RuntimeLost(text, { cause: error });
  }

  #ptyUrl({ podIP }: RuntimeAddress, query: PtyQuery): string {
    const url = new URL(`ws://${hostOf(podIP)}:${this.#port}/pty`);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    return url.href;
  }
}

/** IPv6 addresses are bracketed in URLs (RFC 3986, 3.2.2). */
const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);

/**
 * The same bytes, but whoever stops reading does not destroy the source: an upload whose connection failed can go another
 * way, and one that the runtime refuses half-way still needs its socket for the answer.
 */
export function lent(body: RuntimeRequest['body']): Readable | Buffer | string | null {
  return body instanceof Readable ? Readable.from(spared(body), { objectMode: false }) : (body ?? null);
}

async function* spared(source: Readable): AsyncGenerator<Buffer> {
  // Not yield*: that would hand on the error which the reader ends with, and an error destroys the source all the same.
  for await (const chunk of source.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
}
