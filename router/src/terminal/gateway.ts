// SPDX-License-Identifier: Apache-2.0
import type { SandboxAudit } from '../audit.ts';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { Store } from '@agenttier/machinery/reflector/store';
import { keyOf } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { WebSocket } from 'ws';
import type { Secret } from '../cluster/shapes.ts';
import type { PtyQuery } from '../cluster/runtimeClient.ts';
import type { Target } from '../cluster/target.ts';
import { readKeySecret } from '../auth/keyRecord.ts';
import { alarmAt } from './alarm.ts';
import { Bridge } from './bridge.ts';
import type { PtyLink } from './link.ts';
import { ENDINGS, endingFor } from './ending.ts';
import type { Seat } from './ending.ts';
import { noticeAt, noticeFor } from './notice.ts';

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
  /** The sandbox is being used: somebody types, or a program prints. */
  readonly touch: (sandbox: Sandbox) => void;
  readonly observer: TerminalObserver;
  readonly audit: SandboxAudit;
  readonly pingMs: number;
  readonly log: Logger;
}

/** An accepted client and where it wants to go. */
export interface Admission {
  readonly seat: Seat;
  readonly sandbox: Sandbox;
  readonly target: Target;
  readonly query: PtyQuery;
  readonly sourceIp?: string | undefined;
}

interface Session extends Admission {
  readonly key: string;
  readonly bridge: Bridge;
  /** Calls off the end that the key's expiry would bring. */
  forgetKey: () => void;
}

/** All terminals of this process. They hold nothing but sockets: what a person sees lives in the pod. */
export class TerminalGateway {
  readonly #options: GatewayOptions;
  readonly #sessions = new Set<Session>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    options.apiKeys.subscribe(({ type, object }) => {
      const record = type === 'deleted' ? undefined : readKeySecret(object);
      for (const session of this.#sessions) {
        if (session.seat.principal.key?.id !== object.metadata.name) continue;
        if (record === undefined) session.bridge.end(ENDINGS.revoked);
        else this.#endWithKey(session, record.expiresAt);
      }
    });
    options.sandboxes.subscribe((event) => {
      const key = keyOf(event.object);
      const notice = noticeFor(event);
      for (const session of this.#sessions) {
        if (session.key !== key) continue;
        const ending = endingFor(event, session.seat);
        if (ending) session.bridge.end(ending);
        else if (notice) session.bridge.tell(notice);
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
      onInput: (count) => this.#used('in', admission, count),
      onOutput: (count) => this.#used('out', admission, count),
    });
    const session: Session = { ...admission, key: keyOf(sandbox), bridge, forgetKey: () => {} };
    this.#sessions.add(session);
    this.#endWithKey(session, seat.principal.key?.expiresAt);
    const fields = { sandbox: session.key, sub: seat.principal.sub, mode: seat.mode };
    const started = performance.now();
    client.once('close', (code) => {
      this.#sessions.delete(session);
      session.forgetKey();
      log.info({ ...fields, code, duration_ms: Math.round(performance.now() - started) }, 'terminal closed');
    });
    try {
      const link = await connect(target, query);
      const over = observer.opened({ transport: link.transport, mode: seat.mode });
      if (bridge.closed) over();
      else client.once('close', over);
      log.info({ ...fields, transport: link.transport }, 'terminal opened');
      this.#audited(client, admission);
      bridge.attach(link);
      const notice = noticeAt(
        this.#options.sandboxes.get(sandbox.metadata.namespace, sandbox.metadata.name ?? ''),
      );
      if (notice) bridge.tell(notice);
    } catch (error) {
      log.warn({ ...fields, err: error }, 'terminal could not be opened');
      bridge.fail('the terminal could not be started in the sandbox');
    }
  }

  /** Only a terminal that was really there is told of, and once each way. */
  #audited(client: WebSocket, { sandbox, seat, sourceIp }: Admission): void {
    const { principal, mode } = seat;
    const { audit } = this.#options;
    const how = mode === 'view' ? 'to watch' : 'to type';
    audit(sandbox, { action: 'TerminalOpened', principal, sourceIp, note: `A terminal was opened ${how}` });
    const closed = (): void =>
      audit(sandbox, { action: 'TerminalClosed', principal, sourceIp, note: 'A terminal was closed' });
    if (client.readyState === client.OPEN) client.once('close', closed);
    else closed();
  }

  /** A key that expires takes along what was opened with it; another moment replaces the one before. */
  #endWithKey(session: Session, expiresAt: number | undefined): void {
    session.forgetKey();
    if (expiresAt === undefined) session.forgetKey = () => {};
    else session.forgetKey = alarmAt(expiresAt, () => session.bridge.end(ENDINGS.expired));
  }

  /**
   * What is typed and what a program prints is use, also when nobody touches the keyboard: a build that scrolls by must
   * not be stopped. Those who only watch use nothing.
   */
  #used(direction: 'in' | 'out', { seat, sandbox }: Admission, count: number): void {
    this.#options.observer.bytes(direction, count);
    if (seat.mode === 'control') this.#options.touch(sandbox);
  }

  /** Sends every client elsewhere. */
  drain(): void {
    for (const { bridge } of this.#sessions) bridge.drain();
  }
}
