// SPDX-License-Identifier: Apache-2.0
import { Duplex } from 'node:stream';
import { type RawData, WebSocket } from 'ws';
import { reasonOf } from '../runtime/clock.ts';
import type { ClusterAccess } from './access.ts';
import { errorFromResponse, networkError } from './errors.ts';
import { pathOf, PODS } from './resource.ts';
import { tlsSettings } from './transport.ts';

export interface PortForwardOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  readonly signal?: AbortSignal | undefined;
  /** For the connection to be made; default 15 000. */
  readonly timeoutMs?: number | undefined;
}

const DATA = 0;
/** The kubelet begins each channel with the port, in two bytes. */
const PORT_BYTES = 2;
const MAX_FRAME = 4 * 1024 * 1024;
const CHUNK = 32 * 1024;

/**
 * One TCP connection to a port of a pod, made by the kubelet inside the pod's network, so that servers on loopback are
 * reached. Rejects with KubeError when the API server refuses; needs `get` on pods/portforward, and `create` from
 * Kubernetes 1.35. The protocol cannot close one direction alone: the end of our side ends the connection.
 */
export async function openPortForward(access: ClusterAccess, options: PortForwardOptions): Promise<Duplex> {
  options.signal?.throwIfAborted();
  const token = await access.token?.();
  const { namespace, pod: name, port } = options;
  const base = access.server.replace(/^http/, 'ws').replace(/\/$/, '');
  const url = `${base}${pathOf(PODS, { namespace, name }, 'portforward')}?ports=${port}`;
  const socket = new WebSocket(url, ['v4.channel.k8s.io'], {
    perMessageDeflate: false,
    maxPayload: MAX_FRAME,
    handshakeTimeout: options.timeoutMs ?? 15_000,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...tlsSettings(access),
  });
  const stream = new ForwardedStream(socket);
  const { signal } = options;
  const abort = (): void => void stream.destroy(signal && reasonOf(signal));
  signal?.addEventListener('abort', abort, { once: true });
  socket.once('close', () => signal?.removeEventListener('abort', abort));
  await opened(socket, options);
  // A refusal may come in the same packet as the handshake, before anybody listens to the stream.
  if (stream.errored) throw stream.errored;
  return stream;
}

function opened(socket: WebSocket, { namespace, pod, port }: PortForwardOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', (error) =>
      reject(networkError(`port ${port} of ${namespace}/${pod}: ${error.message}`, error)),
    );
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

/** The first byte of each message names its channel: data, or why there is none. */
class ForwardedStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #seen = new Set<number>();

  constructor(socket: WebSocket) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(asBuffer(data)));
    socket.on('error', (error) => this.destroy(error));
    // Whoever reads or writes is told; that nobody does is no reason to end the process.
    this.on('error', () => undefined);
    socket.on('close', () => this.push(null));
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // No part would ever tell that it is done: what begins an upgrade is often empty.
    if (chunk.length === 0) return done();
    const parts = Math.ceil(chunk.length / CHUNK);
    for (let at = 0; at < parts; at++) {
      const part = chunk.subarray(at * CHUNK, (at + 1) * CHUNK);
      const last = at === parts - 1;
      this.#socket.send(Buffer.concat([Buffer.of(DATA), part]), (error) => {
        if (last) done(error);
      });
    }
  }

  override _final(done: () => void): void {
    this.#socket.close(1000);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // A paused socket would hold back its own end.
    if (this.#socket.isPaused) this.#socket.resume();
    this.#socket.terminate();
    done(error);
  }

  #receive(message: Buffer): void {
    const channel = message[0] ?? DATA;
    const first = !this.#seen.has(channel);
    this.#seen.add(channel);
    const content = message.subarray(1 + (first ? PORT_BYTES : 0));
    if (content.length === 0) return;
    if (channel !== DATA) this.destroy(networkError(content.toString('utf8').trim()));
    else if (!this.push(content)) this.#socket.pause();
  }
}

function asBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
