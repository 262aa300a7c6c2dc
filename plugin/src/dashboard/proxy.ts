// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { CommandError, messageOf } from '../context/failure.ts';
import { judge, judgeSocket, type Lock } from './gate.ts';
import { linkPage, type Links } from './links.ts';
import { asksForTicket, ticketIn, Tickets } from './tickets.ts';
import { ask, type Authorize, type Upstream } from './upstream.ts';

export interface ProxyOptions {
  readonly upstream: Upstream;
  readonly authorize: Authorize;
  readonly links: Links;
  /** Somebody has used a link a second time; what the first has opened is closed. */
  readonly onReuse: () => void;
  readonly now: () => number;
}

/** A way to the router on 127.0.0.1 for the browser of one person. */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #tickets: Tickets;
  readonly #sockets = new Set<Duplex>();
  #host = '';

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#tickets = new Tickets(options.now);
    this.#server = createServer((request, response) => void this.#serve(request, response));
    // An upload takes as long as it takes; whoever sends here sits at this machine.
    this.#server.requestTimeout = 0;
    this.#server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
  }

  /** Answers where it is. Throws CommandError when the port is not to be had. */
  async listen(port: number): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    try {
      await once(this.#server, 'listening');
    } catch (error) {
      throw new CommandError(`port ${port} of 127.0.0.1 cannot be had: ${messageOf(error)}`, 1, error);
    }
    this.#host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return `http://${this.#host}`;
  }

  /** Whatever is open ends. */
  close(): void {
    this.#server.close();
    this.#cut();
  }

  #cut(): void {
    this.#tickets.clear();
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
  }

  get #lock(): Lock {
    return { host: this.#host, key: this.#options.links.key };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verdict = judge(askedBy(request), this.#lock);
    if (verdict.to === 'nowhere') return refuse(response, verdict.status, verdict.message);
    if (verdict.to === 'link') return this.#open(verdict.token, request, response);
    try {
      const credential = verdict.to === 'router' ? await this.#options.authorize() : undefined;
      await this.#pass(request, response, credential && { [credential.header]: credential.value });
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else refuse(response, 502, `the router cannot be reached: ${messageOf(error)}`);
    }
  }

  #open(token: string, request: IncomingMessage, response: ServerResponse): void {
    // A browser that fetches ahead of a click would use it up.
    if (request.headers['sec-purpose'] !== undefined) return refuse(response, 503, 'not ahead of time');
    const { links, onReuse } = this.#options;
    const use = links.use(token);
    if (use === 'first') {
      const { html, headers } = linkPage(links.key);
      response.writeHead(200, headers).end(html);
      return;
    }
    refuse(
      response,
      410,
      'This link has been used. Press Enter where kubectl agenttier dashboard runs for another one.',
    );
    if (use === 'unknown') return;
    response.once('close', () => this.#cut());
    onReuse();
  }

  async #pass(
    request: IncomingMessage,
    response: ServerResponse,
    credential: OutgoingHttpHeaders = {},
  ): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const wantsTicket = asksForTicket(method, url);
    const headers = { ...forRouter(request.headers), ...credential };
    if (wantsTicket) headers['accept-encoding'] = 'identity';
    const far = ask(this.#options.upstream, { method, path: url, headers });
    response.once('close', () => far.destroy());
    const answered = once(far, 'response') as Promise<[IncomingMessage]>;
    // A refusal may come, with the end of the connection, before the body is there.
    const sent = pipeline(request, far).catch(() => undefined);
    const [answer] = await answered;
    response.writeHead(answer.statusCode ?? 502, forBrowser(answer.headers));
    if (wantsTicket) {
      const body = await text(answer);
      const ticket = ticketIn(body);
      if (ticket !== undefined) this.#tickets.keep(ticket);
      response.end(body);
    } else {
      // Events have to reach the browser before the first of them has come.
      response.flushHeaders();
      await pipeline(answer, response);
    }
    await sent;
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    if (!judgeSocket(askedBy(request), this.#lock, this.#tickets.has)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const headers = { ...forRouter(request.headers), connection: 'Upgrade', upgrade: 'websocket' };
    const far = ask(this.#options.upstream, { method: 'GET', path: request.url ?? '/', headers });
    socket.once('close', () => far.destroy());
    far.on('error', () => socket.destroy());
    far.on('response', (answer) => void relayRefusal(answer, socket));
    far.on('upgrade', (answer, farSocket, farHead) => {
      farSocket.on('error', () => socket.destroy());
      socket.once('close', () => farSocket.destroy());
      farSocket.once('close', () => socket.destroy());
      socket.write(headOf(answer));
      socket.write(farHead);
      farSocket.write(head);
      farSocket.pipe(socket).pipe(farSocket);
    });
    far.end();
  }
}

const askedBy = ({ method = 'GET', url = '/', headers }: IncomingMessage) => ({ method, url, headers });

/** RFC 9110, 7.6.1: what belongs to one connection. */
const HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
];
/** What the browser says of itself and this proxy, not of the router; and credentials, which are the proxy's to give. */
const OURS = [
  'host',
  'origin',
  'referer',
  'cookie',
  'authorization',
  'x-api-key',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
];
/** What a router says to the pages of its own origin, or to those of others. */
const THEIRS = [
  'set-cookie',
  'strict-transport-security',
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
  'alt-svc',
];

const without = (headers: IncomingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
const forRouter = (headers: IncomingHttpHeaders): OutgoingHttpHeaders => without(headers, [...HOP, ...OURS]);
const forBrowser = (headers: IncomingHttpHeaders): OutgoingHttpHeaders =>
  without(headers, [...HOP, ...THEIRS]);

/** The answer to an upgrade as it came, so that what was negotiated holds. */
function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : []));
  return [`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines, '', ''].join('\r\n');
}

async function relayRefusal(answer: IncomingMessage, socket: Duplex): Promise<void> {
  const body = await text(answer).catch(() => '');
  const { statusCode, statusMessage } = answer;
  socket.end(
    `HTTP/1.1 ${statusCode} ${statusMessage}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function refuse(response: ServerResponse, status: number, message: string): void {
  const body = `${JSON.stringify({ error: message, message })}\n`;
  response
    .writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      // A body that nobody reads must not be taken for the next request.
      Connection: 'close',
    })
    .end(body);
}
