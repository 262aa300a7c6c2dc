// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { isFault, refusals, toHttpError } from '../api/errors.ts';
import type { SandboxAudit } from '../audit.ts';
import { awaitTarget } from '../cluster/awaitTarget.ts';
import type { Stores } from '../cluster/caches.ts';
import type { RuntimeClient } from '../cluster/runtimeClient.ts';
import type { Target } from '../cluster/target.ts';
import type { Ticket } from '../auth/tickets.ts';
import type { Wake } from '../cluster/wake.ts';
import { refuseUpgrade } from '../middleware/refuseUpgrade.ts';
import { isForeign, portOf } from './door.ts';
import type { PreviewDoor, Visitor } from './door.ts';
import { ENTRY_PATH } from './entry.ts';
import { forward, headersFor, localOriginOf, proxyPath, targetOf } from './forward.ts';
import { toBrowser } from './headers.ts';
import type { Seen } from './headers.ts';
import { readPreviewHost } from './host.ts';
import type { PreviewHost, PreviewSite } from './host.ts';
import type { OpenTunnels } from './openTunnels.ts';
import { dial, join } from './tunnel.ts';

export interface PreviewOptions {
  readonly site: PreviewSite;
  readonly door: PreviewDoor;
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;
  readonly runtime: Pick<RuntimeClient, 'request' | 'upgrade'>;
  readonly tunnels: OpenTunnels;
  readonly wake: Wake;
  /** Uses a ticket up, for all replicas; rejects with the 401 when it has been used. */
  readonly spend: (ticket: Ticket, target: Target) => Promise<unknown>;
  /** The sandbox is being used. */
  readonly touch: (sandbox: Sandbox) => void;
  readonly audit: SandboxAudit;
  /** Why nobody can be served at the moment; undefined when somebody can. */
  readonly unavailable: () => string | undefined;
  /** Where a request comes from. */
  readonly addressOf: (request: IncomingMessage) => string;
  readonly observe: (method: string, status: number, seconds: number) => void;
  readonly log: Logger;
}

/** Serves previews on their own hosts: everything that is asked of the preview domain ends here, whatever it is. */
export class PreviewGateway {
  readonly #options: PreviewOptions;

  constructor(options: PreviewOptions) {
    this.#options = options;
  }

  /** Is the request for the preview domain? */
  takes({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
    return readPreviewHost(headers.host, this.#options.site.domain) !== undefined;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    try {
      await this.#answer(request, response);
    } catch (error) {
      this.#refuse(error, response);
    }
    const { method = 'GET' } = request;
    this.#options.observe(method, response.statusCode, (performance.now() - started) / 1000);
  }

  /** A WebSocket on a preview's host. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const gone = new AbortController();
    socket.once('close', () => gone.abort(new Error('the client went away')));
    socket.on('error', () => socket.destroy());
    try {
      const { visitor, target } = this.#admit(request);
      const { pod, seen, sandbox } = await this.#reach(request, visitor, gone.signal);
      const port = portOf(visitor);
      const headers = headersFor(request, port, seen);
      const path = proxyPath(port, target);
      const far = await dial(this.#options.runtime, pod, { path, headers, signal: gone.signal });
      join({ socket, head }, far, seen, () => this.#options.touch(sandbox));
      this.#hold(socket, visitor);
      this.#options.observe('GET', 101, 0);
    } catch (error) {
      const answer = toHttpError(error);
      this.#options.observe('GET', answer.status, 0);
      refuseUpgrade(socket, answer);
    }
  }

  #hold(socket: Writable, visitor: Visitor): void {
    const { sandboxUid, keyId, expiresAt: endsAt } = visitor.session;
    const stillMay = (): boolean => this.#options.door.stillMay(visitor);
    this.#options.tunnels.hold(socket, { sandboxUid, keyId, endsAt, stillMay });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client went away'));
    });
    const host = this.#hostOf(request);
    if ((request.url ?? '').split('?')[0] === ENTRY_PATH) {
      await this.#enter(host, request, response, gone.signal);
      return;
    }
    const { visitor, target } = this.#admit(request);
    const { pod, seen, sandbox } = await this.#reach(request, visitor, gone.signal);
    const forwarding = { request, port: portOf(visitor), target, seen, signal: gone.signal };
    const answer = await forward(this.#options.runtime, pod, forwarding);
    response.writeHead(answer.status, toBrowser(answer.headers, seen));
    // The first byte of an event stream may be long in coming.
    response.flushHeaders();
    this.#hold(response, visitor);
    await pipeline(answer.stream, response);
    this.#options.touch(sandbox);
  }

  async #enter(
    host: PreviewHost,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    if (request.method !== 'GET') throw refusals.noSuchMethod(request.method ?? '', ['GET']);
    const { searchParams } = new URL(request.url ?? '/', 'http://preview');
    const { door, audit, addressOf, spend } = this.#options;
    const entry = door.read(host, searchParams.get('ticket') ?? '');
    const { sandbox, principal, cookie, ticket } = entry;
    portOf(entry);
    const { target } = await this.#awaken(entry, signal);
    await spend(ticket, target);
    const note = `The preview of port ${host.port} was opened`;
    audit(sandbox, { action: 'PreviewOpened', principal, note, sourceIp: addressOf(request) });
    response.writeHead(303, {
      location: landing(searchParams.get('to')),
      'set-cookie': cookie,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    response.end();
  }

  /** Everything that is decided before the sandbox is touched. */
  #admit(request: IncomingMessage): { visitor: Visitor; target: string } {
    const host = this.#hostOf(request);
    const visitor = this.#options.door.admit(host, request.headers);
    if (isForeign(request.method ?? '', request.headers, this.#originOf(request))) {
      throw refusals.previewForeign();
    }
    const target = targetOf(request.url);
    if (target === undefined || request.method === 'TRACE')
      throw refusals.badRequest('not a request for a page');
    portOf(visitor);
    return { visitor, target };
  }

  async #reach(
    request: IncomingMessage,
    visitor: Visitor,
    signal: AbortSignal,
  ): Promise<{ pod: Target; seen: Seen; sandbox: Sandbox }> {
    const { sandbox, target: pod } = await this.#awaken(visitor, signal);
    const seen = {
      localOrigin: localOriginOf(portOf(visitor)),
      ownOrigin: this.#originOf(request),
      host: request.headers.host ?? '',
      scheme: this.#options.site.scheme,
      sourceIp: this.#options.addressOf(request),
    };
    return { pod, seen, sandbox };
  }

  /** The running pod of the sandbox, which is being used from now on. */
  async #awaken(visitor: Visitor, signal: AbortSignal): Promise<{ sandbox: Sandbox; target: Target }> {
    const { wake, stores, touch } = this.#options;
    const { principal, session } = visitor;
    const sandbox = await wake({ sandbox: visitor.sandbox, role: session.role }, { principal, signal });
    const target = await awaitTarget(stores, sandbox, { signal });
    touch(sandbox);
    return { sandbox, target };
  }

  #hostOf({ headers }: IncomingMessage): PreviewHost {
    const unavailable = this.#options.unavailable();
    if (unavailable !== undefined) throw refusals.unavailable(unavailable);
    const host = readPreviewHost(headers.host, this.#options.site.domain);
    if (host?.place === undefined) throw refusals.previewClosed();
    return host;
  }

  /** As the browser has it: behind a port forward the port is another than ours. */
  #originOf({ headers }: IncomingMessage): string {
    return `${this.#options.site.scheme}://${(headers.host ?? '').toLowerCase()}`;
  }

  #refuse(error: unknown, response: ServerResponse): void {
    const answer = toHttpError(error);
    if (isFault(answer) && !response.destroyed) this.#options.log.warn({ err: error }, 'preview failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { error: title, message } = answer.body;
    response.writeHead(answer.status, {
      ...answer.headers,
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(`${message ?? title}\n`);
  }
}

/** A path of the same origin, never the beginning of another one: browsers read a backslash as a slash. */
function landing(to: string | null): string {
  const own = 'http://preview';
  if (to === null || !to.startsWith('/') || !URL.canParse(to, own)) return '/';
  const url = new URL(to, own);
  return url.origin === own ? url.pathname + url.search + url.hash : '/';
}
