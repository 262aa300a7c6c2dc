// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type {
  IncomingHttpHeaders,
  IncomingMessage,
  RequestListener,
  Server,
  ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ClusterAccess } from '../kube/access.ts';
import type { StatusCause } from '../kube/errors.ts';
import { until } from './until.ts';

export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Names and values alternating, as they came: shows repeated headers apart. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** Answers one request, or leaves it unanswered. */
export type Reply = (response: ServerResponse, request: ScriptedRequest) => void;

interface Rule {
  readonly method: string;
  readonly path: string | RegExp;
  readonly replies: Reply[];
}

/**
 * An HTTP server for tests that plays an API server on a bad day. Rules are tried in order; each answers matching
 * requests with its replies one after the other and stays with the last. Requests without a rule get 404.
 */
export class ScriptedServer {
  readonly requests: ScriptedRequest[] = [];
  readonly server: Server;
  readonly #rules: Rule[] = [];
  readonly #tls: boolean;

  private constructor(tls: ServerOptions | undefined) {
    const listener: RequestListener = (request, response) => void this.#serve(request, response);
    this.#tls = tls !== undefined;
    this.server = tls ? createTlsServer(tls, listener) : createServer(listener);
  }

  /** Starts on a free loopback port. */
  static async start(tls?: ServerOptions): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(tls);
    await new Promise<void>((resolve) => scripted.server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** What a client needs to talk to this server; add certificates for TLS. */
  access(more: Partial<ClusterAccess> = {}): ClusterAccess {
    return {
      server: `${this.#tls ? 'https' : 'http'}://127.0.0.1:${this.port}`,
      namespace: 'default',
      ...more,
    };
  }

  /** Answers requests of a method (`*` for all) and path (exact, or a pattern). */
  on(method: string, path: string | RegExp, ...replies: Reply[]): this {
    this.#rules.push({ method, path, replies });
    return this;
  }

  /** Requests of a path so far. */
  requestsTo(path: string | RegExp): ScriptedRequest[] {
    return this.requests.filter((request) => matches(path, request.path));
  }

  /** Resolves once that many requests of a path have come; rejects after `deadlineMs`. */
  async received(
    count: number,
    path: string | RegExp = /./,
    deadlineMs = 10_000,
  ): Promise<ScriptedRequest[]> {
    await until(
      () => this.requestsTo(path).length >= count,
      `${count} requests to ${String(path)}`,
      deadlineMs,
    );
    return this.requestsTo(path);
  }

  /** Cuts every connection, as a crashing server does. */
  cutAll(): void {
    this.server.closeAllConnections();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cutAll();
    await closed;
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await received(message).catch(() => undefined);
    if (!request) return;
    this.requests.push(request);
    const rule = this.#rules.find(
      ({ method, path }) => (method === '*' || method === request.method) && matches(path, request.path),
    );
    const reply = rule && rule.replies.length > 1 ? rule.replies.shift() : rule?.replies[0];
    (reply ?? status(404, { reason: 'NotFound' }))(response, request);
  }
}

const matches = (path: string | RegExp, actual: string): boolean =>
  typeof path === 'string' ? path === actual : path.test(actual);

async function received(message: IncomingMessage): Promise<ScriptedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const url = new URL(message.url ?? '/', 'http://server');
  return {
    method: message.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: message.headers,
    rawHeaders: message.rawHeaders,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

/** A JSON body with a status and headers. */
export function json(body: unknown, code = 200, headers: Record<string, string | string[]> = {}): Reply {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}

interface StatusFields {
  readonly reason?: string;
  readonly message?: string;
  readonly retryAfter?: string;
  readonly causes?: readonly StatusCause[];
}

/** A meta/v1 Status, as the API server refuses things. */
export function statusBody(code: number, fields: StatusFields = {}): Record<string, unknown> {
  const { reason = 'Unknown', message = `scripted ${code}`, causes } = fields;
  const details = causes ? { details: { causes } } : {};
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, ...details };
}

/** A refusal with a Status body. */
export function status(code: number, fields: StatusFields = {}): Reply {
  return json(statusBody(code, fields), code, fields.retryAfter ? { 'retry-after': fields.retryAfter } : {});
}

/** Closes the connection without an answer. */
export const cut: Reply = (response) => void response.destroy();

/** Takes the request and never answers. */
export const silence: Reply = () => undefined;

/** A list of a kind; items are given without apiVersion and kind, as on the wire. */
export function list(
  items: readonly unknown[],
  resourceVersion = '1',
  more: Record<string, unknown> = {},
): Reply {
  return json({ kind: 'List', apiVersion: 'v1', metadata: { resourceVersion, ...more }, items });
}

/** A watch that the test writes by hand. */
export class ScriptedWatch {
  #response: ServerResponse | undefined;
  readonly #opened = Promise.withResolvers<ScriptedRequest>();

  readonly reply: Reply = (response, request) => {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#opened.resolve(request);
  };

  /** Resolves with the request when a client has opened the watch. */
  opened(): Promise<ScriptedRequest> {
    return this.#opened.promise;
  }

  send(type: string, object: unknown): this {
    return this.raw(`${JSON.stringify({ type, object })}\n`);
  }

  /** Bytes as they are: half lines, nonsense. */
  raw(text: string | Uint8Array): this {
    this.#response?.write(text);
    return this;
  }

  /** Ends the answer in good order. */
  end(): void {
    this.#response?.end();
  }

  /** Breaks the connection in the middle of the answer. */
  cut(): void {
    this.#response?.destroy();
  }
}
