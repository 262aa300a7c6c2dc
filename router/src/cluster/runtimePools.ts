// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connectTo } from '@agenttier/machinery/tcp/connect';
import { Pool } from 'undici';
import type { OpenRelay } from './relay.ts';
import type { RuntimeAddress, Target } from './target.ts';

/** A pod on a reachable network answers a connect within milliseconds; a filtered port never does. */
export const CONNECT_MS = 1500;
/** Below the runtime's own idle limit, so that we and not it end a connection and no command meets a dying socket. */
const KEEP_ALIVE_MS = 20_000;
/** Streams hold theirs for as long as they last. Connections are made when needed, so a quiet pod has none. */
const CONNECTIONS_PER_POD = 128;
/** Each is a process in the pod, of a few megabytes. */
const RELAYS_PER_POD = 32;
/** Headers may come when a command ends, and events hours apart: whoever asks sets the limit, not the client. */
const UNLIMITED = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS } as const;

/** Connections to one pod over the network. */
export interface Direct {
  readonly pool: Pool;
  readonly podIP: string;
  /** The last token that the runtime has let in. */
  taken?: string;
}

interface Ways {
  direct?: Direct;
  relayed?: Pool;
}

/** Connections to the runtimes, by pod: when an address is handed out again, the new pod must not inherit those to the old one. */
export class RuntimePools {
  readonly #options: { readonly port: number; readonly openRelay: OpenRelay };
  readonly #pods = new Map<string, Ways>();

  constructor(options: { readonly port: number; readonly openRelay: OpenRelay }) {
    this.#options = options;
  }

  direct({ podUid, podIP }: RuntimeAddress): Direct {
    const ways = this.#waysTo(podUid);
    if (ways.direct?.podIP === podIP) return ways.direct;
    void ways.direct?.pool.destroy();
    const { port } = this.#options;
    const pool = new Pool(`http://${hostOf(podIP)}:${port}`, {
      ...UNLIMITED,
      connections: CONNECTIONS_PER_POD,
      connect: (_options, done) => give(connectTo({ host: podIP, port, timeoutMs: CONNECT_MS }), done),
    });
    ways.direct = { pool, podIP };
    return ways.direct;
  }

  relayed(target: Target): Pool {
    const ways = this.#waysTo(target.podUid);
    ways.relayed ??= new Pool('http://runtime', {
      ...UNLIMITED,
      connections: RELAYS_PER_POD,
      connect: (_options, done) => give(this.#options.openRelay(target), done),
    });
    return ways.relayed;
  }

  async forget(podUid: string): Promise<void> {
    const ways = this.#pods.get(podUid);
    this.#pods.delete(podUid);
    await Promise.all([ways?.direct?.pool.destroy(), ways?.relayed?.destroy()]);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pods.keys()].map((uid) => this.forget(uid)));
  }

  #waysTo(podUid: string): Ways {
    const ways = this.#pods.get(podUid) ?? {};
    this.#pods.set(podUid, ways);
    return ways;
  }
}

type Done = (...outcome: [null, Socket] | [Error, null]) => void;

/** undici asks no more of a socket than that it is a Duplex, and looks for what to send only when it is told later on. */
function give(connection: Promise<Duplex>, done: Done): void {
  connection.then(
    (socket) => setImmediate(() => done(null, socket as Socket)),
    (error: Error) => setImmediate(() => done(error, null)),
  );
}

/** IPv6 addresses are bracketed in URLs (RFC 3986, 3.2.2). */
export const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);
