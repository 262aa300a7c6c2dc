// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { setTimeout as pause } from 'node:timers/promises';
import { killPod } from '../cluster/podProcesses.ts';
import { openExact } from './exactSocket.ts';
import { metricOf, type Replica, untilReplicas } from './replicas.ts';
import type { Target } from './rest.ts';
import { type Figure, figure } from './stats.ts';

const TERMINALS = 'agenttier_terminal_sessions';
const AGAIN_MS = 20;
const DEADLINE_MS = 30_000;

/** A client that comes back for the bytes it has not got, at once. */
class Follower {
  readonly #target: Target;
  readonly #name: string;
  readonly #session: string;
  #position: number | undefined;
  #closed = false;
  #socket: ReturnType<typeof openExact> | undefined;
  connections = 0;
  /** Called for each piece of output, with the number of its connection. */
  heard: (connection: number) => void = () => {};

  constructor(target: Target, name: string, session: string) {
    this.#target = target;
    this.#name = name;
    this.#session = session;
    this.#connect();
  }

  type(text: string): void {
    this.#socket?.send(Buffer.from(text));
  }

  /** Output on a connection later than `after`. */
  output(after: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no output within half a minute')), DEADLINE_MS);
      this.heard = (connection) => {
        if (connection <= after) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  #connect(): void {
    if (this.#closed) return;
    this.connections += 1;
    const connection = this.connections;
    const since = this.#position === undefined ? {} : { since: this.#position };
    const socket = openExact(this.#target, { name: this.#name, session: this.#session, ...since });
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        this.#position = (this.#position ?? 0) + data.length;
        this.heard(connection);
        return;
      }
      const frame = JSON.parse(data.toString()) as { type: string; offset?: number };
      if (frame.type === 'ready') this.#position = frame.offset ?? 0;
    });
    socket.on('error', () => {}); // the close that follows tells
    socket.on('close', () => setTimeout(() => this.#connect(), AGAIN_MS));
  }
}

/** From SIGKILL of the router that serves a terminal until the client has output again, of a program that prints all the time. */
export async function measureReconnect(
  client: KubeClient,
  target: Target,
  name: string,
  rounds: number,
): Promise<Figure> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const replicas = await untilReplicas(client, 2);
    const before = await Promise.all(replicas.map((one) => metricOf(one, TERMINALS)));
    const follower = new Follower(target, name, `kill-${Date.now().toString(36)}`);
    try {
      await follower.output(0);
      follower.type('for i in $(seq 2500); do echo tick; sleep 0.01; done; exit\r');
      const serving = await grown(replicas, before);
      const { connections } = follower;
      const started = performance.now();
      if (killPod(serving.uid, { sparePause: true }) === 0)
        throw new Error('the router runs on another machine: it cannot be killed from here');
      await follower.output(connections);
      values.push(performance.now() - started);
    } finally {
      follower.close();
    }
    await unready(client, replicas.length);
  }
  await untilReplicas(client, 2);
  const method = `SIGKILL of its process; WebSocket by the Service, tried again each ${AGAIN_MS} ms; two replicas`;
  return figure('killed router → output again', values, method);
}

/** The replica that serves one terminal more than before. */
async function grown(replicas: readonly Replica[], before: readonly number[]): Promise<Replica> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    for (const [at, replica] of replicas.entries()) {
      if ((await metricOf(replica, TERMINALS)) > (before[at] ?? 0)) return replica;
    }
    await pause(50);
  }
  throw new Error('no replica says that it serves the terminal');
}

/** Until the kubelet has noticed, so that the next round does not take the dead one for ready; it may be quick. */
async function unready(client: KubeClient, count: number): Promise<void> {
  const deadline = performance.now() + 3_000;
  while (performance.now() < deadline) {
    const found = await untilReplicas(client, 1);
    if (found.length < count) return;
    await pause(50);
  }
}
