// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { encodeServerEvent } from '@agenttier/crds/wire/serverEvents';
import type { Reply } from '../api/route.ts';

/** One event to be sent; `data` is any JSON value. */
export interface OutEvent {
  readonly event: string;
  readonly data: unknown;
  /** With it the client can ask for what follows: `Last-Event-ID`. */
  readonly id?: string | number;
}

/** Proxies cut connections on which nothing is said for a while; 30 s is the shortest limit in use. */
export const KEEP_ALIVE_MS = 15_000;
const KEEP_ALIVE = ': keepalive\n\n';

export const EVENT_STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache',
  // nginx holds back what it proxies otherwise.
  'X-Accel-Buffering': 'no',
} as const;

export interface EventStreamOptions {
  readonly keepAliveMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An answer of server-sent events. An event is taken from the source when the client has room for it, so a client that
 * reads slowly makes the source wait. When the client goes away the source is returned; one that waits for something must
 * also heed `Call.signal`. A source that throws cuts the connection, so that no client takes a part for the whole.
 */
export function eventStream(events: AsyncIterable<OutEvent>, options: EventStreamOptions = {}): Reply {
  const stream = new EventText(events, options.keepAliveMs ?? KEEP_ALIVE_MS);
  return { status: 200, headers: { ...EVENT_STREAM_HEADERS, ...options.headers }, stream };
}

class EventText extends Readable {
  readonly #events: AsyncIterator<OutEvent>;
  readonly #keepAliveMs: number;
  #isWaiting = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(events: AsyncIterable<OutEvent>, keepAliveMs: number) {
    super();
    this.#events = events[Symbol.asyncIterator]();
    this.#keepAliveMs = keepAliveMs;
  }

  override _read(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.push(KEEP_ALIVE), this.#keepAliveMs);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#events.next().then(
      (result) => this.#take(result),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  override _destroy(error: Error | null, ended: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    void this.#giveBack();
    ended(error);
  }

  /** Not waited for: a source in the middle of something returns when that is over, and nobody is left to hear how. */
  async #giveBack(): Promise<void> {
    await this.#events.return?.().catch(() => {});
  }

  #take(result: IteratorResult<OutEvent>): void {
    this.#isWaiting = false;
    clearTimeout(this.#timer);
    if (this.destroyed) return;
    if (result.done === true) {
      this.push(null);
      return;
    }
    const { event, data, id } = result.value;
    this.push(encodeServerEvent(event, data, id));
  }
}
