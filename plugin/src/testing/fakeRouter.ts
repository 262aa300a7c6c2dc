// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import { until } from '@agenttier/machinery/testing/until';
import { type WebSocket, WebSocketServer } from 'ws';

export interface Attachment {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

type Refusal = { readonly status: number; readonly body: string };

/**
 * The router's terminal as its contract describes it, with one session that lives on while connections come and go: output
 * is kept from `start` on, and a client that names a byte in that range goes on there.
 */
export class FakeRouter {
  readonly attachments: Attachment[] = [];
  readonly controls: Record<string, unknown>[] = [];
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #refusals: Refusal[] = [];
  readonly #input: Buffer[] = [];
  #output = Buffer.alloc(0);
  #start = 0;
  #port = 0;

  private constructor() {
    this.#server = createServer();
    this.#sockets = new WebSocketServer({ noServer: true, handleProtocols: () => PTY_PROTOCOL_V2 });
    this.#server.on('upgrade', (request, socket, head) => {
      const url = new URL(request.url ?? '/', 'http://router');
      this.attachments.push({ path: url.pathname, query: url.searchParams, headers: request.headers });
      const refusal = this.#refusals.shift();
      if (refusal) return refuse(socket, refusal);
      this.#sockets.handleUpgrade(request, socket, head, (client) => this.#attach(client, url.searchParams));
    });
  }

  static async start(): Promise<FakeRouter> {
    const router = new FakeRouter();
    await router.listen();
    return router;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get input(): string {
    return Buffer.concat(this.#input).toString('utf8');
  }

  get clients(): number {
    return this.#sockets.clients.size;
  }

  /** Position of the next byte of output. */
  get end(): number {
    return this.#start + this.#output.length;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** The shell prints; whoever is attached sees it, everybody else later. */
  print(data: string | Buffer): void {
    const bytes = Buffer.from(data);
    this.#output = Buffer.concat([this.#output, bytes]);
    for (const client of this.#sockets.clients) client.send(bytes);
  }

  /** Output before this many kept bytes is forgotten. */
  keep(bytes: number): void {
    const lost = Math.max(0, this.#output.length - bytes);
    this.#output = this.#output.subarray(lost);
    this.#start += lost;
  }

  control(frame: Record<string, unknown>): void {
    for (const client of this.#sockets.clients) client.send(JSON.stringify(frame));
  }

  exit(code: number, signal?: string): void {
    this.control({ type: 'exit', code, ...(signal === undefined ? {} : { signal }) });
    this.closeAll(1000);
  }

  closeAll(code: number, reason = ''): void {
    for (const client of this.#sockets.clients) client.close(code, reason);
  }

  /** Breaks every connection without a close, as a killed router does. */
  drop(): void {
    for (const client of this.#sockets.clients) client.terminate();
  }

  /** Answers the next upgrade with plain HTTP. */
  refuseNext(status: number, body: unknown): void {
    this.#refusals.push({ status, body: JSON.stringify(body) });
  }

  /** Resolves when that many attachments have been asked for and one is up. */
  async attached(count: number): Promise<Attachment> {
    await until(() => this.attachments.length >= count && this.clients > 0, `${count} attachments`);
    const latest = this.attachments.at(-1);
    if (!latest) throw new Error('no attachment');
    return latest;
  }

  async stopListening(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.drop();
    this.#server.closeAllConnections();
    await closed;
  }

  #attach(client: WebSocket, query: URLSearchParams): void {
    const since = query.get('since') === null ? undefined : Number(query.get('since'));
    const known = since !== undefined && since >= this.#start && since <= this.end;
    const offset = known ? since : this.#start;
    client.send(
      JSON.stringify({
        type: 'ready',
        session: query.get('session'),
        offset,
        cols: 80,
        rows: 24,
        reset: !known,
      }),
    );
    const replay = this.#output.subarray(offset - this.#start);
    if (replay.length > 0) client.send(replay);
    client.on('message', (data, isBinary) => {
      if (isBinary) this.#input.push(data as Buffer);
      else this.controls.push(JSON.parse((data as Buffer).toString('utf8')) as Record<string, unknown>);
    });
  }
}

function refuse(socket: Duplex, { status, body }: Refusal): void {
  const head = `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
}
