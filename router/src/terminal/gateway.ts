// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { Store } from '@agenttier/machinery/reflector/store';
import { keyOf } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { WebSocket } from 'ws';
import type { Secret } from '../cluster/shapes.ts';
import type { PtyQuery } from '../cluster/runtimeClient.ts';
import type { Target } from '../cluster/target.ts';
import { Bridge } from './bridge.ts';
import type { PtyLink } from './link.ts';
import { ENDINGS, endingFor } from './ending.ts';
import type { Seat } from './ending.ts';

export interface TerminalObserver {
  /** Returns how to say that the terminal is over. */
  opened(labels: { transport: string; mode: string }): () => void;
  bytes(direction: 'in' | 'out', count: number): void;
}

export interface GatewayOptions {
  readonly sandboxes: Store<Sandbox>;
  /** Stored keys: with a key, the terminals opened with it end. */
  readonly apiKeys: Store<Secret>;
  /** At most so many terminals for one person. */
  readonly perPerson: number;
  readonly connect: (target: Target, query: PtyQuery) => Promise<PtyLink>;
  /** The sandbox is being used: somebody types. */
  readonly touch: (sandbox: Sandbox) => void;
  readonly observer: TerminalObserver;
  readonly pingMs: number;
  readonly log: Logger;
}

/** An accepted client and where it wants to go. */
export interface Admission {
  readonly seat: Seat;
  readonly sandbox: Sandbox;
  readonly target: Target;
  readonly query: PtyQuery;
}

interface Session extends Admission {
  readonly key: string;
  readonly bridge: Bridge;
}

/** All terminals of this process. They hold nothing but sockets: what a person sees lives in the pod. */
export class TerminalGateway {
  readonly #options: GatewayOptions;
  readonly #sessions = new Set<Session>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    options.apiKeys.subscribe(({ type, object }) => {
      if (type !== 'deleted') return;
      for (const { seat, bridge } of this.#sessions) {
        if (seat.principal.key?.id === object.metadata.name) bridge.end(ENDINGS.revoked);
      }
    });
    options.sandboxes.subscribe((event) => {
      const key = keyOf(event.object);
      for (const session of this.#sessions) {
        const ending = session.key === key ? endingFor(event, session.seat) : undefined;
        if (ending) session.bridge.end(ending);
      }
    });
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Has the person as many terminals as one may have? A client that never ends its old ones would take all sockets. */
  isFull(sub: string): boolean {
    let count = 0;
    for (const { seat } of this.#sessions) if (seat.principal.sub === sub) count++;
    return count >= this.#options.perPerson;
  }

  /** Takes over a client whose WebSocket has just been opened. Resolves when it is connected or was told why not. */
  async open(client: WebSocket, admission: Admission): Promise<void> {
    client.pause();
    const { observer, pingMs, connect, log } = this.#options;
    const { sandbox, seat, query, target } = admission;
    const bridge = new Bridge({
      client,
      pingMs,
      takesInput: seat.mode === 'control',
      onInput: (count) => {
        observer.bytes('in', count);
        this.#options.touch(sandbox);
      },
      onOutput: (count) => observer.bytes('out', count),
    });
    const session: Session = { ...admission, key: keyOf(sandbox), bridge };
    this.#sessions.add(session);
    const fields = { sandbox: session.key, sub: seat.principal.sub, mode: seat.mode };
    const started = performance.now();
    client.once('close', (code) => {
      this.#sessions.delete(session);
      log.info({ ...fields, code, duration_ms: Math.round(performance.now() - started) }, 'terminal closed');
    });
    try {
      const link = await connect(target, query);
      const over = observer.opened({ transport: link.transport, mode: seat.mode });
      if (bridge.closed) over();
      else client.once('close', over);
      log.info({ ...fields, transport: link.transport }, 'terminal opened');
      bridge.attach(link);
    } catch (error) {
      log.warn({ ...fields, err: error }, 'terminal could not be opened');
      bridge.fail('the terminal could not be started in the sandbox');
    }
  }

  /** Sends every client elsewhere. */
  drain(): void {
    for (const { bridge } of this.#sessions) bridge.drain();
  }
}
