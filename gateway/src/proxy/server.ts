// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { Callers } from '../identity/callers.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Resolve } from '../names/resolve.ts';
import { Flows } from './flows.ts';
import { forward } from './forward.ts';
import { Gate } from './gate.ts';
import { peerAddress } from './request.ts';
import { tunnel } from './tunnel.ts';

export interface Limits {
  /** Connections and requests of one sandbox at the same time. */
  readonly perSandbox: number;
  /** Connections of one source address, whoever it is: before anything is read from them. */
  readonly perAddress: number;
  readonly total: number;
  readonly maxHeaderSize: number;
  readonly headersMs: number;
  readonly helloMs: number;
  readonly idleMs: number;
}

export const LIMITS: Limits = {
  perSandbox: 256,
  perAddress: 320,
  total: 8_192,
  maxHeaderSize: 16_384,
  headersMs: 10_000,
  helloMs: 10_000,
  idleMs: 900_000,
};

export interface ProxyOptions {
  readonly callers: Callers;
  readonly resolve: Resolve;
  readonly log: Logger;
  readonly metrics: GatewayMetrics;
  readonly limits?: Limits;
}

export interface Proxy {
  listen(port: number, host?: string): Promise<number>;
  /** Takes no more connections, gives open ones until the deadline, then cuts them. */
  close(drainMs: number): Promise<void>;
}

/** The forward proxy of all sandboxes. */
export function createProxy(options: ProxyOptions): Proxy {
  const { log, metrics, limits = LIMITS } = options;
  const flows = new Flows(limits.perSandbox, (open) => metrics.open(open));
  const gate = new Gate({ ...options, flows });
  const { maxHeaderSize, headersMs, helloMs, idleMs } = limits;
  const server = createServer({ maxHeaderSize, headersTimeout: headersMs, requestTimeout: 0 });
  server.maxConnections = limits.total;
  server.keepAliveTimeout = headersMs;
  server.on(
    'request',
    (request, response) => void forward({ gate, log, maxHeaderSize, idleMs }, request, response),
  );
  server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    void tunnel({ gate, log, metrics, helloMs, idleMs }, request, socket, head);
  });
  const sockets = limitPerAddress(server, limits.perAddress);
  return {
    listen: async (port, host) => {
      server.listen(port, host);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    },
    close: async (drainMs) => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, drainMs);
      await closed;
      clearTimeout(cut);
    },
  };
}

function limitPerAddress(server: ReturnType<typeof createServer>, limit: number): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = peerAddress(socket.remoteAddress);
    const count = (counts.get(address) ?? 0) + 1;
    if (count > limit) {
      socket.destroy();
      return;
    }
    counts.set(address, count);
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      const left = (counts.get(address) ?? 1) - 1;
      if (left > 0) counts.set(address, left);
      else counts.delete(address);
    });
  });
  return sockets;
}
