// SPDX-License-Identifier: Apache-2.0
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { until } from '@agenttier/machinery/testing/until';
import type { RunningWebhook } from '../start.ts';

/** How long after a change of readiness a Service's endpoints follow; slower than most clusters. */
const LAG_MS = 300;

/**
 * What a Service is to the API server, which in these tests can only be given one address: connections go to the ready
 * replicas in turn. Like the real thing it follows readiness late and never ends a connection that stands.
 */
export class Balancer {
  readonly #server: Server;
  readonly #members = new Set<RunningWebhook>();
  readonly #sockets = new Set<Socket>();
  #ready: RunningWebhook[] = [];
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#join(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#timer = setInterval(() => void this.#look(), LAG_MS);
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when connections go to the replica. */
  async add(replica: RunningWebhook): Promise<void> {
    this.#members.add(replica);
    await until(() => this.#ready.includes(replica), 'the replica to be an endpoint');
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #look(): Promise<void> {
    const checked = await Promise.all(
      [...this.#members].map(async (replica) => {
        const url = `http://127.0.0.1:${replica.healthPort}/readyz`;
        const answer = await fetch(url).catch(() => undefined);
        return answer?.ok === true ? [replica] : [];
      }),
    );
    this.#ready = checked.flat();
  }

  #join(socket: Socket): void {
    const replica = this.#ready[this.#turn++ % Math.max(1, this.#ready.length)];
    if (replica === undefined) return void socket.destroy();
    const upstream = createConnection({ host: '127.0.0.1', port: replica.webhookPort, noDelay: true });
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.end();
      });
    }
  }
}
