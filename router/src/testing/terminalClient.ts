// SPDX-License-Identifier: Apache-2.0
import { until } from '@agenttier/machinery/testing/until';
import { WebSocket } from 'ws';
import { PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import { ANN_KEY } from './harness.ts';

interface ClientOptions {
  readonly key?: string;
  readonly binary?: boolean;
  readonly headers?: Record<string, string>;
  /** Offered beside the one of the dialect. */
  readonly protocols?: readonly string[];
}

/** A person's end of a terminal: collects everything, speaks either dialect. */
export class TerminalClient {
  readonly socket: WebSocket;
  readonly frames: Record<string, unknown>[] = [];
  readonly chunks: Buffer[] = [];
  closed: { code: number; reason: string } | undefined;
  pings = 0;
  readonly #binary: boolean;

  constructor(url: string, options: ClientOptions = {}) {
    const { key = ANN_KEY, binary = false, headers = {}, protocols = [] } = options;
    const offered = [...(binary ? [PTY_PROTOCOL_V2] : []), ...protocols];
    this.#binary = binary;
    this.socket = new WebSocket(url.replace('http', 'ws'), offered, {
      headers: { ...(key === '' ? {} : { 'X-API-Key': key }), ...headers },
      perMessageDeflate: false,
    });
    this.socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.chunks.push(data);
      else this.frames.push(JSON.parse(data.toString('utf8')) as Record<string, unknown>);
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    this.socket.on('ping', () => this.pings++);
    this.socket.on('error', () => {});
  }

  /** Opens a terminal and waits for it. */
  static async open(url: string, options: ClientOptions = {}): Promise<TerminalClient> {
    const client = new TerminalClient(url, options);
    await new Promise((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  /** Terminal output so far: bytes, or what the text frames carried. */
  get output(): string {
    if (this.#binary) return Buffer.concat(this.chunks).toString('utf8');
    return this.frames
      .filter((frame) => frame['type'] === 'output')
      .map((frame) => frame['data'])
      .join('');
  }

  type(text: string): void {
    this.socket.send(this.#binary ? Buffer.from(text) : JSON.stringify({ type: 'input', data: text }));
  }

  control(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  async frame(type: string): Promise<Record<string, unknown>> {
    const find = (): Record<string, unknown> | undefined =>
      this.frames.find((frame) => frame['type'] === type);
    await until(() => find() !== undefined, `a ${type} frame`);
    return find() ?? {};
  }

  async framesOf(type: string, count: number): Promise<void> {
    const seen = (): number => this.frames.filter((frame) => frame['type'] === type).length;
    await until(() => seen() >= count, `${count} ${type} frames`);
  }

  async shows(text: string, deadlineMs = 15_000): Promise<void> {
    await until(() => this.output.includes(text), `the terminal to show ${JSON.stringify(text)}`, deadlineMs);
  }

  async end(): Promise<{ code: number; reason: string }> {
    await until(() => this.closed !== undefined, 'the terminal to be closed');
    return this.closed ?? { code: 0, reason: '' };
  }
}

/** Status and body of a refused upgrade. */
export function refusedUpgrade(
  url: string,
  options: ClientOptions = {},
): Promise<{ status: number; body: unknown }> {
  const { socket } = new TerminalClient(url, options);
  return new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error('the upgrade was accepted')));
    socket.once('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
  });
}
