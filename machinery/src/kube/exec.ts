// SPDX-License-Identifier: Apache-2.0
import { Readable, Writable } from 'node:stream';
import { WebSocket } from 'ws';
import { reasonOf } from '../runtime/clock.ts';
import type { ClusterAccess } from './access.ts';
import { errorFromResponse, networkError } from './errors.ts';
import type { KubeError, StatusBody } from './errors.ts';
import type { Impersonation } from './impersonation.ts';
import { impersonationHeaders } from './impersonation.ts';
import { tlsSettings } from './transport.ts';

export interface ExecOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string | undefined;
  readonly command: readonly string[];
  /** Open an input; default false. */
  readonly stdin?: boolean | undefined;
  /** Allocate a terminal: stderr is then part of stdout. Default false. */
  readonly tty?: boolean | undefined;
  readonly impersonate?: Impersonation | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For the connection to be made; default 15 000. */
  readonly timeoutMs?: number | undefined;
}

export interface ExecStream {
  /**
   * Both outputs share one connection: one that is not read stops the other once its buffer is full. Call `resume()` on
   * an output that is of no interest.
   */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Ending it closes the command's input (needs the v5 protocol, Kubernetes 1.30; a no-op before). */
  readonly stdin: Writable;
  resize(columns: number, rows: number): void;
  /** Resolves when the command ends; rejects with KubeError when the connection breaks or it cannot be started. */
  readonly exit: Promise<ExecExit>;
  /** Drops the connection. The command in the pod gets no signal from this, only a closed input and output. */
  close(): void;
}

export interface ExecExit {
  readonly code: number;
  readonly message?: string;
}

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const;
/** v4 cannot half-close: it is offered for servers before 1.30 only. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const CHUNK = 32 * 1024;
const PING_MS = 20_000;
/** Ours is the smaller limit on purpose: a frame of the API server is at most 32 KiB of output. */
const MAX_FRAME = 4 * 1024 * 1024;

/**
 * Runs a command in a pod. Resolves when the API server has accepted it; rejects with KubeError when it refuses. A
 * WebSocket opens with GET, so the caller needs the verb `get` on pods/exec, and from Kubernetes 1.35 `create` as well.
 */
export async function execInPod(access: ClusterAccess, options: ExecOptions): Promise<ExecStream> {
  options.signal?.throwIfAborted();
  const token = await access.token?.();
  const socket = new WebSocket(execUrl(access.server, options), PROTOCOLS, {
    perMessageDeflate: false,
    maxPayload: MAX_FRAME,
    handshakeTimeout: options.timeoutMs ?? 15_000,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      // ws hands headers to node:http, which writes an array as one line per value.
      ...(impersonationHeaders(options.impersonate) as unknown as Record<string, string>),
    },
    ...tlsSettings(access),
  });
  const abort = (): void => drop(socket);
  options.signal?.addEventListener('abort', abort, { once: true });
  socket.once('close', () => options.signal?.removeEventListener('abort', abort));
  // Output may come in the same packet as the handshake: the channels must listen before it is over.
  const channels = new ExecChannels(socket, options);
  await opened(socket, options);
  return channels;
}

function execUrl(server: string, options: ExecOptions): string {
  const base = server.replace(/^http/, 'ws').replace(/\/$/, '');
  const { namespace, pod } = options;
  const query = new URLSearchParams();
  if (options.container) query.set('container', options.container);
  for (const word of options.command) query.append('command', word);
  query.set('stdin', String(options.stdin ?? false));
  query.set('stdout', 'true');
  query.set('stderr', String(!options.tty));
  query.set('tty', String(options.tty ?? false));
  return `${base}/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec?${query.toString()}`;
}

function opened(socket: WebSocket, options: ExecOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', (error) => {
      if (options.signal?.aborted) return reject(reasonOf(options.signal));
      reject(networkError(`exec in ${options.namespace}/${options.pod}: ${error.message}`, error));
    });
    socket.once('unexpected-response', (request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('close', () => {
        request.destroy();
        reject(
          errorFromResponse(response.statusCode ?? 500, jsonOrText(Buffer.concat(chunks).toString('utf8'))),
        );
      });
    });
  });
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The kubelet's Status on channel 3 leaves out its kind, by which an answer over HTTP is known for one. */
const statusError = (status: StatusBody): KubeError =>
  errorFromResponse(status.code ?? 500, typeof status === 'object' ? { ...status, kind: 'Status' } : status);

/** Ends the connection at once; a paused socket would hold back its own end. */
function drop(socket: WebSocket): void {
  if (socket.isPaused) socket.resume();
  socket.terminate();
}

/** The channels of one connection: the first byte of each message names one. */
class ExecChannels implements ExecStream {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly stdin: Writable;
  readonly exit: Promise<ExecExit>;
  readonly #socket: WebSocket;
  readonly #options: ExecOptions;
  readonly #exit = Promise.withResolvers<ExecExit>();
  /** Outputs whose buffer is full; the socket rests while there is one. */
  readonly #full = new Set<Readable>();
  #alive = true;

  constructor(socket: WebSocket, options: ExecOptions) {
    this.#socket = socket;
    this.#options = options;
    this.exit = this.#exit.promise;
    this.exit.catch(() => undefined);
    this.stdout = this.#output();
    this.stderr = this.#output();
    this.stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => this.#sendInput(chunk, done),
      final: (done) => this.#endInput(done),
    });
    this.stdin.on('error', () => undefined);
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.on('error', (error) => this.#fail(networkError(`exec connection: ${error.message}`, error)));
    socket.on('close', (code) => this.#closed(code));
    socket.on('open', () => this.#keepAlive());
  }

  resize(columns: number, rows: number): void {
    const size = Buffer.from(JSON.stringify({ Width: columns, Height: rows }));
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(framed(CHANNEL.resize, size));
  }

  close(): void {
    this.#socket.close(1000);
    // A peer that does not answer the close must not keep the socket.
    setTimeout(() => drop(this.#socket), 1000).unref();
  }

  #output(): Readable {
    const output: Readable = new Readable({
      read: () => {
        if (this.#full.delete(output) && this.#full.size === 0) this.#socket.resume();
      },
      destroy: (error, done) => {
        if (this.#full.delete(output) && this.#full.size === 0) this.#socket.resume();
        done(error);
      },
    });
    return output;
  }

  #receive(data: Buffer): void {
    const channel = data[0];
    const payload = data.subarray(1);
    if (channel === CHANNEL.stdout) this.#push(this.stdout, payload);
    else if (channel === CHANNEL.stderr) this.#push(this.stderr, payload);
    else if (channel === CHANNEL.status) this.#finish(payload);
  }

  #push(output: Readable, payload: Buffer): void {
    // The API server opens each channel with an empty message.
    if (payload.length === 0 || output.destroyed || output.readableEnded) return;
    if (output.push(payload)) return;
    this.#full.add(output);
    this.#socket.pause();
  }

  /** A chunk counts as written when the socket has taken all of it: a slow pod slows the writer down. */
  #sendInput(chunk: Buffer, done: (error?: Error | null) => void): void {
    const parts: Buffer[] = [];
    for (let at = 0; at < chunk.length; at += CHUNK) {
      parts.push(framed(CHANNEL.stdin, chunk.subarray(at, at + CHUNK)));
    }
    const last = parts.pop();
    for (const part of parts) this.#socket.send(part);
    if (last) this.#socket.send(last, (error) => done(error));
    else done();
  }

  #endInput(done: (error?: Error | null) => void): void {
    if (this.#socket.protocol !== 'v5.channel.k8s.io' || this.#socket.readyState !== WebSocket.OPEN)
      return done();
    this.#socket.send(Buffer.from([CHANNEL.close, CHANNEL.stdin]), (error) => done(error));
  }

  #finish(payload: Buffer): void {
    const status = jsonOrText(payload.toString('utf8'));
    const exit = exitOf(status);
    if (exit) this.#exit.resolve(exit);
    else this.#exit.reject(statusError(status as StatusBody));
  }

  #keepAlive(): void {
    this.#socket.on('pong', () => {
      this.#alive = true;
    });
    const timer = setInterval(() => {
      // Not while paused by back-pressure: the pong would wait unread behind the output.
      if (!this.#alive && !this.#socket.isPaused) this.#socket.terminate();
      this.#alive = false;
      this.#socket.ping();
    }, PING_MS);
    timer.unref();
    this.#socket.once('close', () => clearInterval(timer));
  }

  #closed(code: number): void {
    const { signal } = this.#options;
    this.#fail(
      signal?.aborted
        ? reasonOf(signal)
        : networkError(`exec connection closed (${code}) before the command ended`),
    );
    for (const output of [this.stdout, this.stderr]) if (!output.destroyed) output.push(null);
    this.stdin.destroy();
  }

  #fail(error: Error): void {
    this.#exit.reject(error);
  }
}

const framed = (channel: number, payload: Buffer): Buffer => Buffer.concat([Buffer.of(channel), payload]);

/**
 * Exit of a Status message: Success is 0; a Failure of reason NonZeroExitCode carries the code as the cause `ExitCode`.
 * Undefined for any other failure, which means the command was not run.
 */
function exitOf(status: unknown): ExecExit | undefined {
  if (typeof status !== 'object' || status === null) return undefined;
  const { status: outcome, reason, details, message } = status as StatusBody;
  if (outcome === 'Success') return { code: 0 };
  if (reason !== 'NonZeroExitCode') return undefined;
  const code = Number(details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message);
  return { code: Number.isInteger(code) ? code : 1, ...(message === undefined ? {} : { message }) };
}
