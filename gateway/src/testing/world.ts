// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { Callers } from '../identity/callers.ts';
import { leanPod, leanSandbox } from '../identity/lean.ts';
import type { Resolve } from '../names/resolve.ts';
import { createProxy, LIMITS } from '../proxy/server.ts';
import type { Limits, Proxy } from '../proxy/server.ts';
import { podObject, sandboxObject } from './objects.ts';

export interface Refused {
  readonly reason: string;
  readonly host?: string;
  readonly sandbox?: string;
  readonly detail?: string;
}

/** A gateway on loopback with one sandbox, whose address is therefore the loopback's, and servers behind names. */
export class World {
  readonly callers = new Callers({ patienceMs: 30 });
  readonly refused: Refused[] = [];
  readonly decided: string[] = [];
  open = 0;
  /** Names that resolve, by name. What is not here has no address. */
  readonly names = new Map<string, string[]>();
  proxy!: Proxy;
  port = 0;
  readonly #servers: (NetServer | Server)[] = [];

  async start(allowedDomains: string[], limits: Partial<Limits> = {}): Promise<this> {
    this.callers.pods.applyWatch(leanPod(podObject('one', '127.0.0.1')));
    this.allow(allowedDomains);
    const resolve: Resolve = async (host) => {
      const addresses = this.names.get(host);
      if (addresses === undefined) return { ok: false, reason: 'name_not_found' };
      return addresses.length > 0 ? { ok: true, addresses } : { ok: false, reason: 'address_closed' };
    };
    const metrics = {
      decided: (_kind: string, result: string) => void this.decided.push(result),
      bytes: () => undefined,
      open: (count: number) => void (this.open = count),
    };
    const log = this.#log();
    this.proxy = createProxy({
      callers: this.callers,
      resolve,
      log,
      metrics,
      limits: { ...LIMITS, ...limits },
    });
    this.port = await this.proxy.listen(0, '127.0.0.1');
    return this;
  }

  allow(domains: string[]): void {
    this.callers.sandboxes.applyWatch(leanSandbox(sandboxObject('one', domains)));
  }

  #log(): Logger {
    const log = Object.create(silentLogger) as Logger;
    log.warn = (fields: Refused) => void this.refused.push(fields);
    log.error = (fields: object) => {
      throw new Error(JSON.stringify(fields));
    };
    return log;
  }

  /** A server that takes connections; returns its port. */
  async tcp(onConnection: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    return this.#listen(server);
  }

  async http(onRequest: Parameters<typeof createHttpServer>[1]): Promise<number> {
    return this.#listen(createHttpServer(onRequest as (request: IncomingMessage) => void));
  }

  async #listen(server: NetServer | Server): Promise<number> {
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async dial(): Promise<Client> {
    const socket = connect(this.port, '127.0.0.1');
    await once(socket, 'connect');
    return new Client(socket);
  }

  /** Sends CONNECT and reads the head of the answer. */
  async connect(target: string, credentials = basic('pod-one')): Promise<Client> {
    const client = await this.dial();
    const line = credentials === '' ? '' : `Proxy-Authorization: ${credentials}\r\n`;
    client.socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${line}\r\n`);
    await client.until((text) => text.includes('\r\n\r\n'));
    return client;
  }

  async stop(): Promise<void> {
    await this.proxy.close(0);
    for (const server of this.#servers) {
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
    }
  }
}

export const basic = (podUid: string): string => `Basic ${Buffer.from(`pod:${podUid}`).toString('base64')}`;

/** The sandbox's end of a connection, with everything that arrived. */
export class Client {
  readonly socket: Socket;
  bytes = Buffer.alloc(0);
  readonly closed: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
    });
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  async until(arrived: (text: string) => boolean): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => (arrived(this.text) ? resolve() : undefined);
    this.socket.on('data', look);
    this.socket.on('close', () => resolve());
    look();
    await promise;
    return this.text;
  }
}
