// SPDX-License-Identifier: Apache-2.0
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import { json } from 'node:stream/consumers';
import { PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import { connectTo } from '@agenttier/machinery/tcp/connect';
import type { Dispatcher } from 'undici';
import { WebSocket } from 'ws';
import type { OpenRelay } from './relay.ts';
import type { Reachability } from './reachability.ts';
import { CONNECT_MS, hostOf, RuntimePools } from './runtimePools.ts';
import { faultOf, isConnectFault, RuntimeRefused, RuntimeUnreachable } from './runtimeErrors.ts';
import type { RuntimeAddress, Target } from './target.ts';

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

/** Over the network, or over a command that the API server runs in the pod. */
export type Transport = 'runtime' | 'exec';

/** Why the way over the API server was taken; a label of the fallback metric. */
export type FallbackReason = 'no_token' | 'no_address' | 'unreachable' | 'recently_unreachable' | 'refused';

/** What the runtime answers, whatever the status. */
export interface RuntimeAnswer {
  readonly transport: Transport;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Must be read to its end or destroyed. It fails when the runtime breaks off, so no part is taken for the whole. */
  readonly stream: Readable;
}

export interface ExecOutcome {
  readonly transport: Transport;
  readonly result: ExecResult;
}

export interface UpgradeRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The answer to a request for another protocol; the connection is there when it was granted. */
export interface UpgradeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly socket?: Duplex;
  /** What has come over the connection already. */
  readonly head: Buffer;
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

/** What the answer of a command that ran out of time may take beyond its timeout. */
const GRACE_MS = 10_000;
/** How long a program in the pod may take to grant another protocol. */
const UPGRADE_MS = 10_000;
/** Output frames of the runtime are small; this only bounds what a broken peer can make us hold. */
const MAX_FRAME = 4 * 1024 * 1024;

/** What the runtime puts on answers of programs: all others are its own. */
export const PROXIED = 'x-agenttier-proxied';

export interface RuntimeClientOptions {
  readonly port: number;
  readonly openRelay: OpenRelay;
  /** Shared by all who reach for pods. */
  readonly reachability: Reachability;
  readonly onFallback: (reason: FallbackReason) => void;
}

/**
 * Speaks HTTP and WebSocket with the runtimes inside the pods, over connections that are kept per pod. Where the port of a
 * pod cannot be reached, everything but terminals goes over relays through the API server, and that is remembered for a
 * while. What may have been sent one way is never sent another way.
 */
export class RuntimeClient {
  readonly #options: RuntimeClientOptions;
  readonly #pools: RuntimePools;

  constructor(options: RuntimeClientOptions) {
    this.#options = options;
    this.#pools = new RuntimePools(options);
  }

  /**
   * Runs a command to its end. Throws RuntimeUnreachable when nothing was sent, KubeError when the API server refused the
   * other way, and RuntimeLost when the command may have run.
   */
  async exec(target: Target, request: ExecRequest, signal: AbortSignal): Promise<ExecOutcome> {
    const deadline = AbortSignal.timeout(request.timeoutSeconds * 1000 + GRACE_MS);
    const { status, stream, transport } = await this.request(target, {
      method: 'POST',
      path: '/exec',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.any([signal, deadline]),
    });
    const answer = await json(stream).catch((error: unknown) => {
      throw faultOf(error, signal);
    });
    if (status !== 200) throw new RuntimeRefused(status, answer);
    return { transport, result: answer as ExecResult };
  }

  /**
   * Sends a request and resolves with the head of the answer, whose body then streams. Throws RuntimeUnreachable when
   * nothing was sent, KubeError when the API server refused the other way, and RuntimeLost when something may have been
   * sent; no status is an error here.
   */
  async request(target: Target, request: RuntimeRequest): Promise<RuntimeAnswer> {
    const tried = await this.#overNetwork(target, (address) => this.#ask(address, request));
    if (typeof tried !== 'string') return tried;
    this.#options.onFallback(tried);
    return { ...(await send(this.#pools.relayed(target), request)), transport: 'exec' };
  }

  /** Asks for another protocol; for the errors see `request`. */
  async upgrade(target: Target, request: UpgradeRequest): Promise<UpgradeAnswer> {
    const { port, openRelay, onFallback } = this.#options;
    const tried = await this.#overNetwork(target, async ({ podIP: host, token }) => {
      const socket = await connectTo({ host, port, timeoutMs: CONNECT_MS, signal: request.signal });
      return upgradeOver(socket, request, { authorization: `Bearer ${token}` });
    });
    if (typeof tried !== 'string') return tried;
    onFallback(tried);
    return upgradeOver(await openRelay(target), request, {});
  }

  /** Why nobody should try the network to this pod; undefined when one should. */
  closed({ runtime, reason, podUid }: Target): FallbackReason | undefined {
    if (!runtime) return reason ?? 'no_address';
    return this.#options.reachability.isReachable(podUid) ? undefined : 'recently_unreachable';
  }

  /** What comes of it over the network, or why the network does not do. */
  async #overNetwork<T extends Pick<RuntimeAnswer, 'status' | 'headers'>>(
    target: Target,
    act: (address: RuntimeAddress) => Promise<T>,
  ): Promise<T | FallbackReason> {
    const closed = this.closed(target);
    if (closed !== undefined || !target.runtime) return closed ?? 'no_address';
    try {
      const answer = await act(target.runtime);
      return isStranger(answer) ? 'refused' : answer;
    } catch (error) {
      if (!isConnectFault(error)) throw error;
      this.#options.reachability.failed(target.podUid);
      return 'unreachable';
    }
  }

  async #ask(address: RuntimeAddress, request: RuntimeRequest): Promise<RuntimeAnswer> {
    const authorization = `Bearer ${address.token}`;
    const place = this.#pools.direct(address);
    if (request.body instanceof Readable && place.taken !== address.token) {
      // What has gone out of a stream cannot go out again another way: whether we are let in is tried before.
      const { signal } = request;
      const probe = await send(place.pool, {
        method: 'GET',
        path: '/version',
        headers: { authorization },
        signal,
      });
      // To the end, so that the connection is there for the request itself.
      for await (const _ of probe.stream);
      if (isStranger(probe)) return { ...probe, transport: 'runtime' };
      place.taken = address.token;
    }
    const answer = await send(place.pool, { ...request, headers: { ...request.headers, authorization } });
    if (isStranger(answer)) answer.stream.destroy();
    return { ...answer, transport: 'runtime' };
  }

  /**
   * Opens a terminal over the network; resolves once the runtime has accepted it. The socket is paused: attach listeners,
   * then resume. Throws RuntimeUnreachable when nothing was sent.
   */
  async dialPty(target: Target, query: PtyQuery): Promise<WebSocket> {
    const { port, reachability } = this.#options;
    const address = target.runtime;
    if (!address) throw new RuntimeUnreachable(`no way to the pod: ${target.reason}`);
    const connection = await connectTo({ host: address.podIP, port, timeoutMs: CONNECT_MS }).catch(
      (error: Error) => {
        reachability.failed(target.podUid);
        throw new RuntimeUnreachable(error.message, { cause: error });
      },
    );
    const socket = new WebSocket(this.#ptyUrl(address, query), [PTY_PROTOCOL_V2], {
      headers: { authorization: `Bearer ${address.token}` },
      createConnection: () => connection,
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
  forget(podUid: string): Promise<void> {
    return this.#pools.forget(podUid);
  }

  close(): Promise<void> {
    return this.#pools.close();
  }

  #ptyUrl({ podIP }: RuntimeAddress, query: PtyQuery): string {
    const url = new URL(`ws://${hostOf(podIP)}:${this.#options.port}/pty`);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    return url.href;
  }
}

/** The token that we know is not the one that the runtime reads: nothing was done, and a relay needs none. */
const isStranger = ({ status, headers }: Pick<RuntimeAnswer, 'status' | 'headers'>): boolean =>
  status === 401 && headers[PROXIED] === undefined;

async function send(
  pool: Dispatcher,
  { method, path, headers = {}, body, signal }: RuntimeRequest,
): Promise<Omit<RuntimeAnswer, 'transport'>> {
  const answer = await pool
    .request({ method, path, headers: { ...headers }, body: lent(body), signal })
    .catch((error: unknown) => {
      throw faultOf(error, signal);
    });
  // Who destroys it before its end does not want to hear of it.
  answer.body.on('error', () => undefined);
  return { status: answer.statusCode, headers: answer.headers, stream: answer.body };
}

function upgradeOver(
  socket: Duplex,
  { path, headers, signal }: UpgradeRequest,
  own: Readonly<Record<string, string>>,
): Promise<UpgradeAnswer> {
  return new Promise((resolve, reject) => {
    const asked = { ...headers, ...own, connection: 'Upgrade', upgrade: 'websocket' };
    const request = httpRequest({ path, signal, headers: asked, createConnection: () => socket });
    const limit = setTimeout(() => request.destroy(new Error('no answer')), UPGRADE_MS);
    const settle = (
      { statusCode: status = 0, headers: said }: IncomingMessage,
      more?: Partial<UpgradeAnswer>,
    ) => {
      clearTimeout(limit);
      resolve({ status, headers: said, head: Buffer.alloc(0), ...more });
    };
    request.once('error', (error) => {
      clearTimeout(limit);
      socket.destroy();
      reject(faultOf(error, signal));
    });
    request.once('response', (answer) => {
      settle(answer);
      socket.destroy();
    });
    request.once('upgrade', (answer, _socket, head) => settle(answer, { socket, head }));
    request.end();
  });
}

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
