// SPDX-License-Identifier: Apache-2.0
import { readEvents } from '@agenttier/client/events';

/** What has changed, as the server calls it; `reset` = anything may have. */
const NAMES = ['sandbox', 'template', 'policy', 'warmpool', 'webhook', 'key'] as const;

export type ChangeKind = (typeof NAMES)[number] | 'reset';

type Listener = (kind: ChangeKind) => void;

/** Begins a request for the stream. */
type Open = (init: RequestInit) => Promise<Response>;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** The server sends a comment every 15 s: a stream that is silent for longer is dead, whatever TCP says. */
const SILENCE_MS = 40_000;

/**
 * The server's stream of changes, one for all elements of a connection, open while anybody listens. It only says that
 * something has changed: what it is now is asked of the API, so a lost event costs a delay and never a wrong page.
 */
export class Changes {
  readonly #open: Open;
  readonly #listeners = new Set<Listener>();
  readonly #states = new Set<(live: boolean) => void>();
  #running: AbortController | undefined;
  #lastId: string | undefined;
  #live = false;

  constructor(open: Open) {
    this.#open = open;
  }

  /** True while the stream stands: nobody has to ask by the clock. */
  get live(): boolean {
    return this.#live;
  }

  /** Returns how to end it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#running === undefined) void this.#run((this.#running = new AbortController()).signal);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#running?.abort();
      this.#running = undefined;
    };
  }

  onState(tell: (live: boolean) => void): () => void {
    this.#states.add(tell);
    return () => void this.#states.delete(tell);
  }

  async #run(signal: AbortSignal): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const stood = await this.#follow(signal).catch(() => false);
      this.#setLive(false);
      if (signal.aborted) return;
      pause = stood ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
      await elapsed(pause * (0.5 + Math.random() / 2), signal);
    }
  }

  /** Resolves when the stream has ended, with whether it had begun. */
  async #follow(signal: AbortSignal): Promise<boolean> {
    const silence = new AbortController();
    const heard = watchdog(SILENCE_MS, () => silence.abort());
    try {
      const resumed = this.#lastId;
      const response = await this.#open({
        headers: {
          Accept: 'text/event-stream',
          ...(resumed === undefined ? {} : { 'Last-Event-ID': resumed }),
        },
        signal: AbortSignal.any([signal, silence.signal]),
      });
      if (!response.ok || response.body === null) return false;
      const bytes = response.body.pipeThrough(noticing(heard.again));
      this.#setLive(true);
      // Whatever happened before the stream stood was told to nobody.
      if (resumed === undefined) this.#tell('reset');
      for await (const { event, id } of readEvents(bytes)) {
        this.#lastId = id ?? this.#lastId;
        this.#tell(kindOf(event));
      }
      return true;
    } finally {
      heard.stop();
    }
  }

  #tell(kind: ChangeKind): void {
    for (const listener of this.#listeners) listener(kind);
  }

  #setLive(live: boolean): void {
    if (this.#live === live) return;
    this.#live = live;
    for (const tell of this.#states) tell(live);
  }
}

const KINDS: ReadonlySet<string> = new Set<ChangeKind>(NAMES);

const kindOf = (name: string): ChangeKind => (KINDS.has(name) ? (name as ChangeKind) : 'reset');

/** Passes bytes on and calls for each: comments that keep a line alive are no events. */
const noticing = (notice: () => void): TransformStream<Uint8Array, Uint8Array> =>
  new TransformStream({
    transform: (bytes, controller) => {
      notice();
      controller.enqueue(bytes);
    },
  });

function watchdog(ms: number, bark: () => void): { again: () => void; stop: () => void } {
  let timer = setTimeout(bark, ms);
  return {
    again: () => {
      clearTimeout(timer);
      timer = setTimeout(bark, ms);
    },
    stop: () => clearTimeout(timer),
  };
}

const elapsed = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
