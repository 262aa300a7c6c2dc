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
import { toHttpError } from '../api/errors.ts';
import { readKeySecret } from '../auth/keyRecord.ts';
import { signInEnd } from '../auth/principal.ts';
import type { Principal } from '../auth/principal.ts';
import { bucketKey } from '../ratelimit/clientAddress.ts';
import { Bridge } from './bridge.ts';
import type { PtyLink } from './pod/link.ts';
import { ENDINGS, endingFor } from './ending.ts';
import type { Seat } from './ending.ts';
import { noticeAt, noticeFor } from './notice.ts';
import type { TerminalObserver } from './observer.ts';
import { SignInWatch } from './signInWatch.ts';

export interface GatewayOptions {
  readonly sandboxes: Store<Sandbox>;
  /** Stored keys: with a key, the terminals opened with it end. */
  readonly apiKeys: Store<Secret>;
  /** At most so many terminals for one person. */
  readonly perPerson: number;
  /** At most so many terminals from one address; 0 limits nothing. */
  readonly perAddress: number;
  readonly connect: (target: Target, query: PtyQuery) => Promise<PtyLink>;
  /** Takes another ticket for a terminal that is open: who speaks now. Throws the refusal. */
  readonly renew: (ticket: string, admission: Admission) => Promise<Principal>;
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
  readonly signIn: SignInWatch;
  /** Changes with the ticket that keeps the terminal open. */
  seat: Seat;
  readonly traffic: { in: number; out: number };
  transport: string;
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
        else session.signIn.follow(record.expiresAt);
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

  /** Have as many terminals been opened from the address as may be? Sessions of people who are many to us can be one machine's. */
  isFullFor(address: string): boolean {
    const { perAddress } = this.#options;
    if (perAddress === 0) return false;
    const key = bucketKey(address);
    let count = 0;
    for (const { sourceIp } of this.#sessions)
      if (sourceIp !== undefined && bucketKey(sourceIp) === key) count++;
    return count >= perAddress;
  }

  /** Takes over a client whose WebSocket has just been opened. Resolves when it is connected or was told why not. */
  async open(client: WebSocket, admission: Admission): Promise<void> {
    client.pause();
    const { observer, connect, log } = this.#options;
    const { sandbox, seat, query, target } = admission;
    const session = this.#seated(client, admission);
    const { bridge } = session;
    const fields = { sandbox: session.key, sub: seat.principal.sub, mode: seat.mode };
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    client.once('close', (code) => {
      this.#sessions.delete(session);
      session.signIn.stop();
      log.info({ ...fields, code, duration_ms: Math.round(seconds() * 1000) }, 'terminal closed');
    });
    try {
      const link = await connect(target, query);
      session.transport = link.transport;
      const over = observer.opened({ transport: link.transport, mode: seat.mode });
      whenClosed(client, () => over(seconds()));
      log.info({ ...fields, transport: link.transport }, 'terminal opened');
      this.#audited(client, session, seconds);
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

  #seated(client: WebSocket, admission: Admission): Session {
    const { observer, pingMs } = this.#options;
    const { seat, query } = admission;
    const traffic = { in: 0, out: 0 };
    const used = (direction: 'in' | 'out', count: number): void => {
      traffic[direction] += count;
      this.#used(direction, admission, count);
    };
    const bridge = new Bridge({
      client,
      pingMs,
      takesInput: seat.mode === 'control',
      onInput: (count) => used('in', count),
      onOutput: (count) => used('out', count),
      onAuth: (ticket) => void this.#renew(session, ticket),
      onReady: firstOnly((reset: boolean) => {
        if (query.since !== undefined) observer.reconnected(reset ? 'reset' : 'exact');
      }),
    });
    const signIn = new SignInWatch({
      expiring: (at) => bridge.tell({ type: 'auth-expiring', expiresAt: new Date(at).toISOString() }),
      expired: () => bridge.end(ENDINGS.expired),
    });
    const key = keyOf(admission.sandbox);
    const session: Session = { ...admission, key, bridge, signIn, traffic, transport: '' };
    this.#sessions.add(session);
    signIn.follow(signInEnd(seat.principal));
    return session;
  }

  /** Another ticket carries the terminal on; a bad one changes nothing. */
  async #renew(session: Session, ticket: string): Promise<void> {
    try {
      const principal = await this.#options.renew(ticket, session);
      session.seat = { ...session.seat, principal };
      // Whoever speaks now may be less than who spoke before.
      const { namespace, name = '' } = session.sandbox.metadata;
      const object = this.#options.sandboxes.get(namespace, name);
      const ending = object && endingFor({ type: 'modified', object }, session.seat);
      if (ending) return session.bridge.end(ending);
      const end = signInEnd(principal);
      session.signIn.follow(end);
      const until = end === undefined ? {} : { expiresAt: new Date(end).toISOString() };
      session.bridge.tell({ type: 'auth-renewed', ...until });
    } catch (error) {
      session.bridge.tell({ type: 'error', message: toHttpError(error).message });
    }
  }

  /** Only a terminal that was really there is told of, and once each way. */
  #audited(client: WebSocket, session: Session, seconds: () => number): void {
    const { sandbox, sourceIp, transport, traffic } = session;
    const { principal, mode } = session.seat;
    const { audit } = this.#options;
    const how = `${mode === 'view' ? 'to watch' : 'to type'}, by ${transport}`;
    audit(sandbox, { action: 'TerminalOpened', principal, sourceIp, note: `A terminal was opened ${how}` });
    whenClosed(client, () => {
      const note = `A terminal was closed after ${Math.round(seconds())} s: ${traffic.in} bytes in, ${traffic.out} bytes out, by ${transport}`;
      audit(sandbox, { action: 'TerminalClosed', principal, sourceIp, note });
    });
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

function whenClosed(client: WebSocket, done: () => void): void {
  if (client.readyState === client.OPEN) client.once('close', done);
  else done();
}

function firstOnly<T>(act: (value: T) => void): (value: T) => void {
  let over = false;
  return (value) => {
    if (!over) act(value);
    over = true;
  };
}
