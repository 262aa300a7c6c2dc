// SPDX-License-Identifier: Apache-2.0
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectTo } from '@agenttier/machinery/tcp/connect';

export interface RuntimeProbeOptions {
  readonly port: number;
  /** Told once, when the runtime of a pod has answered. */
  readonly onAnswer: (key: string, podUid: string) => void;
  readonly signal: AbortSignal;
  /** One question; resolves to whether the answer was good. Throws Unreachable when nothing came back in time. */
  readonly ask?: (
    host: string,
    port: number,
    signal: AbortSignal,
  ) => Promise<'up' | 'notYet' | 'unreachable'>;
  readonly now?: () => number;
}

interface Watch {
  readonly podUid: string;
  readonly stop: AbortController;
}

/** A connection that is refused answers at once, so asking often is cheap; it ends with the start it belongs to. */
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 250;
/** After this the kubelet's own probe, once a second, decides alone. */
const GIVE_UP_MS = 30_000;
const ANSWER_MS = 1_000;
/** Packets that vanish mean that a network policy of the cluster keeps us out: then asking on is of no use. */
const MAX_SILENT = 3;

/**
 * Asks the runtime of a starting pod whether it is up, directly at the pod's address. The kubelet reports a container
 * only with its next relist and probes once a second, which would add up to two seconds to each start. This is a short
 * handshake at a start, not a health check: from Running on, the kubelet's readiness is the truth.
 */
export class RuntimeProbe {
  readonly #options: RuntimeProbeOptions;
  readonly #watched = new Map<string, Watch>();

  constructor(options: RuntimeProbeOptions) {
    this.#options = options;
  }

  /** Starts asking, unless this pod is being asked already. A new pod of the key ends the questions to the old one. */
  start(key: string, podUid: string, host: string): void {
    const current = this.#watched.get(key);
    if (current?.podUid === podUid) return;
    current?.stop.abort();
    const watch = { podUid, stop: new AbortController() };
    this.#watched.set(key, watch);
    void this.#run(key, watch, host);
  }

  /** The sandbox is up or gone. */
  end(key: string): void {
    this.#watched.get(key)?.stop.abort();
    this.#watched.delete(key);
  }

  async #run(key: string, watch: Watch, host: string): Promise<void> {
    const signal = AbortSignal.any([this.#options.signal, watch.stop.signal]);
    const up = await this.#answers(host, signal).catch(() => false);
    // Kept in the map when unanswered, so that the same pod is not asked all over again by the next reconcile.
    if (up && !signal.aborted) this.#options.onAnswer(key, watch.podUid);
  }

  async #answers(host: string, signal: AbortSignal): Promise<boolean> {
    const { port, ask = askHealth, now = () => performance.now() } = this.#options;
    const end = now() + GIVE_UP_MS;
    let pause = FIRST_PAUSE_MS;
    let silent = 0;
    while (!signal.aborted && now() < end && silent < MAX_SILENT) {
      const answer = await ask(host, port, signal);
      if (answer === 'up') return true;
      silent = answer === 'unreachable' ? silent + 1 : 0;
      await sleep(pause, undefined, { signal });
      pause = Math.min(MAX_PAUSE_MS, pause * 1.5);
    }
    return false;
  }
}

/** `GET /healthz` of the runtime, which needs no token. */
export async function askHealth(
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<'up' | 'notYet' | 'unreachable'> {
  try {
    const socket = await connectTo({ host, port, timeoutMs: ANSWER_MS, signal });
    return await healthOver(socket, signal);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ETIMEDOUT' ? 'unreachable' : 'notYet';
  }
}

function healthOver(socket: Socket, signal: AbortSignal): Promise<'up' | 'notYet' | 'unreachable'> {
  return new Promise((resolve) => {
    const call = request(
      { path: '/healthz', timeout: ANSWER_MS, signal, createConnection: () => socket },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200 ? 'up' : 'notYet');
      },
    );
    call.on('timeout', () => {
      resolve('unreachable');
      call.destroy();
    });
    call.on('error', () => resolve('notYet'));
    call.on('close', () => socket.destroy());
    call.end();
  });
}
