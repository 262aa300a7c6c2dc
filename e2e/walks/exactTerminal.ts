// SPDX-License-Identifier: Apache-2.0
import { PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import { WebSocket } from 'ws';
import { apiKey, apiUrl, until } from './harness.ts';

export interface ExactOptions {
  /** URL of the router; else the installed one. */
  readonly router?: string;
  readonly session?: string;
  readonly mode?: 'control' | 'view';
  readonly altscreen?: 'keep' | 'strip';
  readonly cols?: number;
  readonly rows?: number;
  /** Called with all bytes, in order, instead of keeping them. */
  readonly onBytes?: (bytes: Buffer) => void;
}

const PAUSE_MS = 100;

/** A client that counts what it has got, and comes back for the rest whenever its connection breaks. */
export class ExactTerminal {
  readonly #url: URL;
  readonly #onBytes: (bytes: Buffer) => void;
  readonly #kept: Buffer[] = [];
  readonly frames: { readonly type: string; readonly [field: string]: unknown }[] = [];
  socket: WebSocket | undefined;
  /** Position after the last byte that came. */
  position: number | undefined;
  /** How often the connection broke, and how often a replay began elsewhere than asked for. */
  breaks = 0;
  resets = 0;
  #closed = false;

  constructor(sandbox: string, namespace: string, options: ExactOptions = {}) {
    const { onBytes, router = apiUrl, ...query } = options;
    this.#onBytes = onBytes ?? ((bytes) => void this.#kept.push(bytes));
    this.#url = new URL(`${router.replace(/^http/, 'ws')}/ws/terminal/${sandbox}?namespace=${namespace}`);
    for (const [name, value] of Object.entries(query)) this.#url.searchParams.set(name, String(value));
    this.#connect();
  }

  text(from = 0): string {
    return Buffer.concat(this.#kept).subarray(from).toString('utf8');
  }

  /** Sends bytes once there is a connection. */
  async type(text: string | Buffer): Promise<void> {
    const open = await until('a connection', async () =>
      this.socket?.readyState === WebSocket.OPEN ? this.socket : undefined,
    );
    open.send(Buffer.from(text));
  }

  async shows(text: string, from = 0, timeoutMs = 60_000): Promise<void> {
    await until(
      `the terminal to show ${text}; it ends in ${JSON.stringify(this.text(from).slice(-200))}`,
      async () => this.text(from).includes(text),
      timeoutMs,
    );
  }

  close(): void {
    this.#closed = true;
    this.socket?.close();
  }

  #connect(): void {
    if (this.#closed) return;
    if (this.position !== undefined) this.#url.searchParams.set('since', String(this.position));
    const socket = new WebSocket(this.#url, [PTY_PROTOCOL_V2], {
      headers: { 'X-API-Key': apiKey },
      perMessageDeflate: false,
      handshakeTimeout: 5_000,
    });
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => (isBinary ? this.#bytes(data) : this.#frame(data)));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#closed) return;
      this.breaks++;
      setTimeout(() => this.#connect(), PAUSE_MS);
    });
  }

  #bytes(data: Buffer): void {
    this.position = (this.position ?? 0) + data.length;
    this.#onBytes(data);
  }

  #frame(data: Buffer): void {
    const frame = JSON.parse(data.toString('utf8')) as { type: string; offset?: number; reset?: boolean };
    this.frames.push({ ...frame });
    if (frame.type !== 'ready') return;
    if (frame.reset && this.position !== undefined) this.resets++;
    this.position = frame.offset ?? 0;
  }
}
