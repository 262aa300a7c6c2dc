// SPDX-License-Identifier: Apache-2.0
import { CLOSE_CODES, encodeFrame, parseServerControl } from '@agenttier/crds/wire/terminal';
import type { ClientControl, ServerControl } from '@agenttier/crds/wire/terminal';
import { problemOf } from '../../data/problem.ts';
import type { OpenedTerminal, TerminalPoint } from '../../data/terminal.ts';

export type LinkState = 'connecting' | 'connected' | 'reconnecting' | 'ended' | 'closed';

export interface LinkEvents {
  state(state: LinkState, detail: { reason?: string; code?: number }): void;
  /** Output, each byte once and in order. `done` is to be called when it has been shown. */
  output(bytes: Uint8Array, done: () => void): void;
  /** Earlier output is gone: what is shown has to be cleared. */
  reset(): void;
  control(frame: ServerControl): void;
  /** Whether the person only looks on; told at each connection, since rights change. */
  watching(on: boolean): void;
}

export interface LinkOptions {
  readonly open: (point: TerminalPoint) => Promise<OpenedTerminal>;
  readonly session: string;
  readonly readonly: boolean;
  readonly size: () => { cols: number; rows: number };
  readonly events: LinkEvents;
  readonly random?: () => number;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
const PING_MS = 20_000;
/** The server beats every 30 s; a line that says nothing for longer is dead. */
const SILENCE_MS = 70_000;
/** Codes after which coming back is of no use. */
const FINAL: ReadonlySet<number> = new Set([
  1000,
  4004,
  4008,
  4009,
  ...Object.values(CLOSE_CODES).filter((code) => code >= 4000),
]);
/** What the server words itself and will not change its mind about. */
const FINAL_STATUS: ReadonlySet<number> = new Set([400, 401, 403, 404, 409]);

/**
 * One terminal over as many connections as it takes: after a break it asks for the bytes from where it stopped, so that
 * nothing is lost or shown twice, whichever replica answers.
 */
export class TerminalLink {
  readonly #options: LinkOptions;
  #socket: WebSocket | undefined;
  #offset: number | undefined;
  #pause = FIRST_PAUSE_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;
  #heard = 0;
  #over = false;
  #exited = false;
  #watching: boolean;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#watching = options.readonly;
  }

  start(): void {
    this.#options.events.state('connecting', {});
    void this.#connect();
  }

  /** At once, when there is reason to think that it will work: the network is back, the page is looked at. */
  hurry(): void {
    if (this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    void this.#connect();
  }

  send(bytes: Uint8Array): boolean {
    if (this.#watching || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
    return true;
  }

  resize(cols: number, rows: number): void {
    if (!this.#watching) this.#control({ type: 'resize', cols, rows });
  }

  /** For good. The shell lives on. */
  stop(): void {
    this.#over = true;
    clearTimeout(this.#retry);
    clearInterval(this.#beat);
    this.#socket?.close(1000);
  }

  #control(frame: ClientControl): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(encodeFrame(frame));
  }

  async #connect(): Promise<void> {
    const { open, session, readonly, size } = this.#options;
    try {
      const { socket, watching } = await open({ session, readonly, since: this.#offset, ...size() });
      if (this.#over) return socket.close(1000);
      this.#watching = watching;
      this.#options.events.watching(watching);
      this.#listen(socket);
    } catch (error) {
      const { status, message } = problemOf(error);
      if (FINAL_STATUS.has(status)) this.#end('closed', { reason: message });
      else this.#again();
    }
  }

  #listen(socket: WebSocket): void {
    this.#socket = socket;
    this.#heard = performance.now();
    socket.addEventListener('message', ({ data }) => this.#take(data as ArrayBuffer | string));
    socket.addEventListener('close', ({ code, reason }) => this.#closed(socket, code, reason));
    clearInterval(this.#beat);
    this.#beat = setInterval(() => this.#watch(socket), PING_MS);
  }

  #watch(socket: WebSocket): void {
    if (performance.now() - this.#heard > SILENCE_MS) this.#closed(socket, 1006, '');
    else this.#control({ type: 'ping' });
  }

  #take(data: ArrayBuffer | string): void {
    this.#heard = performance.now();
    const { events } = this.#options;
    if (typeof data !== 'string') {
      const bytes = new Uint8Array(data);
      this.#offset = (this.#offset ?? 0) + bytes.length;
      events.output(bytes, () => undefined);
      return;
    }
    const frame = parseServerControl(data);
    if (frame === undefined) return;
    if (frame.type === 'ready') this.#ready(frame.offset, frame.reset);
    if (frame.type === 'exit') {
      this.#exited = true;
      this.#end('ended', { code: frame.code });
    }
    events.control(frame);
  }

  #ready(offset: number, reset: boolean): void {
    this.#pause = FIRST_PAUSE_MS;
    if (reset) this.#options.events.reset();
    this.#offset = offset;
    this.#options.events.state('connected', {});
  }

  #closed(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    clearInterval(this.#beat);
    socket.close();
    if (this.#over || this.#exited) return;
    if (FINAL.has(code)) this.#end('closed', { reason: reason || `code ${code}`, code });
    else this.#again();
  }

  #again(): void {
    if (this.#over) return;
    this.#options.events.state('reconnecting', {});
    const pause = this.#pause * (0.5 + (this.#options.random ?? Math.random)() / 2);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.#connect();
    }, pause);
  }

  #end(state: 'ended' | 'closed', detail: { reason?: string; code?: number }): void {
    this.#over = true;
    clearInterval(this.#beat);
    this.#options.events.state(state, detail);
  }
}
