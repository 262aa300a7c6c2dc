// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { encodeServerEvent } from '@agenttier/crds/wire/serverEvents';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export class EventAnswer {
  readonly #response: ServerResponse;
  #id = 0;

  constructor(response: ServerResponse, firstId: number) {
    this.#response = response;
    this.#id = firstId - 1;
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
  }

  send(event: string, data: unknown): this {
    this.#response.write(encodeServerEvent(event, data, ++this.#id));
    return this;
  }

  end(): void {
    this.#response.end();
  }

  /** As a killed router does. */
  break(): void {
    this.#response.destroy();
  }
}

type Reply = (asked: Asked, response: ServerResponse) => void;

/** The router's routes for agents: each request is kept, and the next reply that a test has given answers it. */
export class FakeAgent {
  readonly asked: Asked[] = [];
  readonly #replies: Reply[] = [];
  readonly #server: Server;
  url = '';

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FakeAgent> {
    const agent = new FakeAgent();
    await new Promise<void>((resolve) => agent.#server.listen(0, '127.0.0.1', resolve));
    agent.url = `http://127.0.0.1:${(agent.#server.address() as AddressInfo).port}`;
    return agent;
  }

  /** Events with ids from `firstId` on. */
  events(play: (answer: EventAnswer) => void, firstId = 1): void {
    this.#replies.push((_asked, response) => play(new EventAnswer(response, firstId)));
  }

  json(status: number, body?: unknown): void {
    this.#replies.push((_asked, response) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://router');
    const { method = '', headers } = request;
    const asked = { method, path: url.pathname, query: url.searchParams, headers, body: await text(request) };
    this.asked.push(asked);
    const reply = this.#replies.shift();
    if (reply) reply(asked, response);
    else response.writeHead(500).end();
  }
}
