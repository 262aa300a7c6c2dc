// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import type { ExecResult } from '../cluster/runtimeClient.ts';
import { isAdmitted } from './tokens.ts';

type ExecReply = (request: unknown, response: ServerResponse) => ExecResult | undefined;

/** Plays the in-pod runtime: `/exec` and `/pty` with a bearer token, behaviour set by the test. */
export class FakeRuntime {
  readonly server: Server;
  /** Connections opened so far. */
  connections = 0;
  readonly execs: unknown[] = [];
  readonly ptyRequests: IncomingMessage[] = [];
  /** Answers a command; undefined = the test answers, or does not. */
  onExec: ExecReply = () => ({ exitCode: 0, stdout: '', stderr: '', durationMs: 1, timedOut: false });
  /** Handles an attachment; by default it only says that it is ready. */
  onPty: (socket: WebSocket, request: IncomingMessage) => void = () => {};
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(PTY_PROTOCOL_V2) ? PTY_PROTOCOL_V2 : false),
  });

  private constructor() {
    this.server = createServer((request, response) => void this.#serve(request, response));
    this.server.on('connection', () => this.connections++);
    this.server.on('upgrade', (request, socket, head) => {
      if (!isAuthorized(request)) {
        socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (client) => {
        this.ptyRequests.push(request);
        client.send(
          JSON.stringify({ type: 'ready', session: 'main', offset: 0, cols: 80, rows: 24, reset: true }),
        );
        this.onPty(client, request);
      });
    });
  }

  static async start(): Promise<FakeRuntime> {
    const runtime = new FakeRuntime();
    await new Promise<void>((resolve) => runtime.server.listen(0, '127.0.0.1', resolve));
    return runtime;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const client of this.#sockets.clients) client.terminate();
    this.server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (!isAuthorized(request)) {
      response.writeHead(401).end('{"error":"unauthorized","code":401}');
      return;
    }
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    this.execs.push(body);
    const result = this.onExec(body, response);
    if (result) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
  }
}

const isAuthorized = (request: IncomingMessage): boolean =>
  isAdmitted(request.headers.authorization?.replace(/^Bearer /, '') ?? '');
