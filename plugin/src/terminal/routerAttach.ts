// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import {
  type ClientControl,
  encodeFrame,
  PTY_PROTOCOL_V2,
  parseServerControl,
  type ServerControl,
} from '@agenttier/crds/wire/terminal';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import { type RawData, WebSocket } from 'ws';
import { credentials, type RouterAccess, routerError, routerUrl } from '../client/router.ts';
import { messageOf } from '../context/failure.ts';
import type { WindowSize } from '../context/host.ts';
import type { Attach, Attachment, AttachmentEvents, AttachPoint, Ending } from './attachment.ts';
import { exitCodeOf } from './exitCode.ts';

export interface RouterTarget {
  readonly access: RouterAccess;
  readonly sandbox: string;
  readonly namespace: string | undefined;
  readonly session: string;
  readonly clock: Clock;
}

/** The server beats every 30 s at the latest; we ask more often and give up on a line that says nothing. */
const PING_MS = 20_000;
const SILENCE_MS = 50_000;
const HANDSHAKE_MS = 10_000;
/** The router answers the first attachment only when the sandbox is up, which it may have to be woken for. */
const FIRST_HANDSHAKE_MS = 90_000;
/** A router that answers later than this is waiting for the sandbox. */
const PATIENCE_MS = 2_000;
/** A replay of a full ring may come as one message. */
const MAX_MESSAGE = 16 * 1024 * 1024;
/** Close codes that mean "do not come back", and what to tell the person. */
const FINAL_CLOSES: Readonly<Record<number, string>> = {
  1000: 'the terminal was closed',
  4001: 'the sandbox was stopped or deleted',
  4003: 'access to the sandbox was taken away',
  4004: 'the sandbox does not exist any more',
  4008: 'the sandbox was stopped because nobody used it',
  4009: 'the sandbox is not running',
};

/** Attaches through the router's WebSocket, in the sub-protocol that can replay from an offset. */
export function routerAttach(target: RouterTarget): Attach {
  return (point, events) => new RouterAttachment(target, point, events);
}

class RouterAttachment implements Attachment {
  readonly #target: RouterTarget;
  readonly #events: AttachmentEvents;
  readonly #socket: WebSocket;
  readonly #over = new AbortController();
  #ending: Ending | undefined;
  #lastHeard: number;
  #paused = false;

  constructor(target: RouterTarget, point: AttachPoint, events: AttachmentEvents) {
    this.#target = target;
    this.#events = events;
    this.#lastHeard = target.clock.monotonic();
    this.#socket = new WebSocket(socketUrl(target, point), PTY_PROTOCOL_V2, {
      headers: credentials(target.access),
      perMessageDeflate: false,
      handshakeTimeout: point.since === undefined ? FIRST_HANDSHAKE_MS : HANDSHAKE_MS,
      maxPayload: MAX_MESSAGE,
    });
    this.#listen();
  }

  send(data: Uint8Array): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(data, { binary: true }, () => this.#events.drained());
    return true;
  }

  resize(size: WindowSize): void {
    this.#control({ type: 'resize', cols: size.cols, rows: size.rows });
  }

  pending(): number {
    return this.#socket.bufferedAmount;
  }

  pauseOutput(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resumeOutput(): void {
    this.#paused = false;
    this.#lastHeard = this.#target.clock.monotonic();
    this.#socket.resume();
  }

  close(): void {
    this.#over.abort();
    this.#socket.close(1000);
  }

  #listen(): void {
    const socket = this.#socket;
    void this.#explainDelay();
    socket.on('open', () => void this.#watch());
    socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on('pong', () => this.#heard());
    socket.on('unexpected-response', (_request, response) => this.#refused(response));
    socket.on('error', (error) => {
      this.#ending ??= endingOfError(error, this.#target.access.url.origin);
    });
    socket.on('close', (code, reason) => {
      this.#over.abort();
      this.#events.closed(this.#ending ?? endingOfClose(code, reason.toString('utf8')));
    });
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    this.#heard();
    const bytes = asBuffer(data);
    if (isBinary) return this.#events.output(bytes);
    const frame = parseServerControl(bytes.toString('utf8'));
    if (frame !== undefined) this.#onControl(frame);
  }

  #onControl(frame: ServerControl): void {
    if (frame.type === 'ready') this.#events.ready(frame);
    else if (frame.type === 'exit') this.#events.exited(exitCodeOf(frame.code, frame.signal));
    else if (frame.type === 'notice') this.#events.notice(frame.message ?? '');
    else if (frame.type === 'error') this.#ending = { retry: false, message: frame.message };
  }

  /** The router answered the upgrade with plain HTTP; its body says why. */
  #refused(response: IncomingMessage): void {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('close', () => {
      const status = response.statusCode ?? 0;
      const { message } = routerError(status, Buffer.concat(chunks).toString('utf8'));
      this.#ending = { retry: status >= 500 || status === 429, message };
      this.#socket.terminate();
    });
  }

  async #explainDelay(): Promise<void> {
    const { clock, sandbox } = this.#target;
    await clock.sleep(PATIENCE_MS, this.#over.signal).catch(() => undefined);
    if (this.#over.signal.aborted || this.#socket.readyState !== WebSocket.CONNECTING) return;
    this.#events.notice(`waiting for sandbox ${sandbox} to start`);
  }

  /** A half-open connection (a laptop that slept, a lost route) gives no close: silence is its only sign. */
  async #watch(): Promise<void> {
    const { clock } = this.#target;
    try {
      for (;;) {
        await clock.sleep(PING_MS, this.#over.signal);
        if (!this.#paused && clock.monotonic() - this.#lastHeard > SILENCE_MS) {
          this.#ending = { retry: true, message: 'the router has gone silent' };
          return this.#socket.terminate();
        }
        this.#control({ type: 'ping' });
      }
    } catch {
      // The attachment is over: sleep rejects with that.
    }
  }

  #heard(): void {
    this.#lastHeard = this.#target.clock.monotonic();
  }

  #control(frame: ClientControl): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(encodeFrame(frame));
  }
}

function socketUrl(target: RouterTarget, point: AttachPoint): URL {
  const url = routerUrl(target.access, `/ws/terminal/${encodeURIComponent(target.sandbox)}`, {
    namespace: target.namespace,
    session: target.session,
    // A person's own terminal has a second screen, and gets the first one back when an editor ends.
    altscreen: 'keep',
    since: point.since?.toString(),
    cols: point.size?.cols.toString(),
    rows: point.size?.rows.toString(),
  });
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}

function endingOfError(error: Error, origin: string): Ending {
  if (/subprotocol/i.test(error.message)) {
    return {
      retry: false,
      message: `the server at ${origin} does not speak ${PTY_PROTOCOL_V2}: it is no AgentTier router, or an older one`,
    };
  }
  const first = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  return { retry: true, message: `unable to reach the router at ${origin}: ${messageOf(first)}` };
}

function endingOfClose(code: number, reason: string): Ending {
  const final = FINAL_CLOSES[code];
  if (final !== undefined) return { retry: false, message: reason === '' ? final : `${final} (${reason})` };
  return {
    retry: true,
    message: `the connection to the router was lost (${code}${reason === '' ? '' : ` ${reason}`})`,
  };
}

function asBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
