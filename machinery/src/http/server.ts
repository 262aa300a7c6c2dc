// SPDX-License-Identifier: Apache-2.0
import { createServer as createPlainServer } from 'node:http';
import type { RequestListener, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from '../telemetry/log.ts';
import type { Certificate, CertificateSource } from '../tls/source.ts';
import { boundWaiting } from './waiting.ts';

export interface HttpServerOptions {
  /** An express app or any node:http listener. */
  readonly app: RequestListener;
  /** 0 picks a free one. */
  readonly port: number;
  readonly host?: string | undefined;
  /** With a source the server speaks TLS; the source must hold a certificate before `listen`. */
  readonly tls?: CertificateSource | undefined;
  /** How long `close` lets running requests and upgraded connections finish. Default 10 000. */
  readonly drainMs?: number | undefined;
  /** How long a request may take to come, with its body; default 60 000. 0 where the app itself sees to that. */
  readonly requestMs?: number | undefined;
  /** How long the head of a request may take to come; default 20 000. */
  readonly headersMs?: number | undefined;
  /** How many connections may be open without a request; absent = any number. */
  readonly mostWaiting?: number | undefined;
  readonly log: Logger;
}

export interface HttpServer {
  readonly server: Server;
  /** Starts listening; resolves with the port. */
  listen(): Promise<number>;
  /**
   * From now on every answer ends its connection, while new ones are still taken. A client that has thus moved on does
   * not send its next request into a connection that `close` is just ending, which it could not safely repeat.
   */
  drain(): void;
  /** Takes no more connections, lets running ones finish up to the deadline, then cuts them. */
  close(): Promise<void>;
}

/** Above the 60 s of common load balancers, so that they and not we end an idle connection. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_MS = 20_000;
const REQUEST_MS = 60_000;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const server = serverOf(options);
  // Node counts upgraded sockets (WebSockets) neither as idle nor as active requests: kept here to cut them at the end.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  let draining = false;
  const drain = (): void => {
    if (draining) return;
    draining = true;
    server.prependListener('request', (_request: unknown, response: ServerResponse) => {
      response.setHeader('connection', 'close');
    });
  };
  return {
    server,
    listen: () => listen(server, options),
    drain,
    close: () => {
      drain();
      return close(server, sockets, options.drainMs ?? 10_000);
    },
  };
}

function serverOf({ app, tls, log, ...options }: HttpServerOptions): Server {
  const headersTimeout = options.headersMs ?? HEADERS_MS;
  const limits = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout,
    requestTimeout: options.requestMs ?? REQUEST_MS,
    // Node looks every 30 s unless told: a head would have that much more.
    connectionsCheckingInterval: headersTimeout / 4,
  };
  const server = tls ? tlsServer(app, tls, { limits, log }) : createPlainServer(limits, app);
  const { mostWaiting } = options;
  if (mostWaiting !== undefined) boundWaiting(server, mostWaiting, tls ? 'secureConnection' : 'connection');
  return server;
}

interface TlsOptions {
  readonly limits: ServerOptions;
  readonly log: Logger;
}

function tlsServer(app: RequestListener, source: CertificateSource, { limits, log }: TlsOptions): Server {
  const first = source.current();
  if (!first)
    throw new Error(
      'the TLS server needs a certificate before it is created: await firstCertificate(source)',
    );
  const server = createTlsServer({ ...limits, ...secureContext(first) }, app);
  source.onChange((certificate) => {
    try {
      server.setSecureContext(secureContext(certificate));
      log.info('serving a new certificate');
    } catch (error) {
      // The old certificate keeps working: a broken renewal must not take the server down.
      log.error({ err: error }, 'the new certificate was refused; the old one stays');
    }
  });
  server.on('tlsClientError', (error) => log.debug({ err: error }, 'TLS handshake failed'));
  return server;
}

const secureContext = ({ cert, key }: Certificate): { cert: string; key: string; minVersion: 'TLSv1.2' } => ({
  cert,
  key,
  minVersion: 'TLSv1.2',
});

function listen(server: Server, options: HttpServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.removeListener('error', reject);
      const { port } = server.address() as AddressInfo;
      options.log.info({ port, tls: options.tls !== undefined }, 'listening');
      resolve(port);
    });
  });
}

async function close(server: Server, sockets: ReadonlySet<Socket>, drainMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => {
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  }, drainMs);
  // A connection whose last answer was under way at the first sweep becomes idle afterwards.
  const sweep = setInterval(() => server.closeIdleConnections(), 100);
  await closed;
  clearTimeout(cut);
  clearInterval(sweep);
}
