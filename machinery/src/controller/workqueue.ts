// SPDX-License-Identifier: Apache-2.0

/** Most urgent first. Background is for what only has to be looked at again, such as all there is after a policy changed. */
const LANES = ['urgent', 'normal', 'background'] as const;
export type Lane = (typeof LANES)[number];

const isAtLeast = (lane: Lane | undefined, other: Lane): boolean =>
  lane !== undefined && LANES.indexOf(lane) <= LANES.indexOf(other);

export interface QueueMetrics {
  depth(size: number): void;
  added(): void;
  retried(): void;
  /** Milliseconds between becoming ready and being taken. */
  waited(ms: number): void;
}

export interface WorkQueueOptions {
  /** First delay of `addRateLimited`; doubled per failure. Default 5 ms. */
  readonly minBackoffMs?: number | undefined;
  /** Default 16 minutes. */
  readonly maxBackoffMs?: number | undefined;
  /** Share of the delay added at random, 0 to 1; default 0. */
  readonly jitter?: number | undefined;
  readonly random?: (() => number) | undefined;
  readonly metrics?: QueueMetrics | undefined;
}

/** The longest delay that setTimeout takes before it fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Queue of keys for reconcilers. A key waits once however often it is added; it is never handed to two workers at a
 * time; added while it is worked on, it comes back after `done`. Urgent keys go before normal ones, and those before what
 * waits in the background.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** Keys that need work, with the lane they were asked for. */
  readonly #dirty = new Map<string, Lane>();
  readonly #processing = new Set<string>();
  /** Sets keep insertion order, which makes them queues with cheap membership. */
  readonly #ready: Readonly<Record<Lane, Map<string, number>>> = {
    urgent: new Map(),
    normal: new Map(),
    background: new Map(),
  };
  readonly #delayed = new Map<string, { at: number; timer: NodeJS.Timeout }>();
  readonly #failures = new Map<string, number>();
  readonly #waiters: ((key: string | undefined) => void)[] = [];
  readonly #drainWaiters: (() => void)[] = [];
  #shuttingDown = false;

  constructor(options: WorkQueueOptions = {}) {
    this.#options = options;
  }

  /** Keys ready to be taken. */
  get length(): number {
    return LANES.reduce((sum, lane) => sum + this.#ready[lane].size, 0);
  }

  add(key: string, lane: Lane = 'normal'): void {
    if (this.#shuttingDown) return;
    const before = this.#dirty.get(key);
    if (isAtLeast(before, lane)) return;
    this.#dirty.set(key, lane);
    this.#options.metrics?.added();
    if (this.#processing.has(key)) return;
    if (before !== undefined) this.#ready[before].delete(key);
    this.#makeReady(key, lane);
  }

  /** Adds the key after a time; of several pending delays for a key the earliest counts. */
  addAfter(key: string, ms: number, lane: Lane = 'normal'): void {
    if (this.#shuttingDown) return;
    if (ms <= 0) return this.add(key, lane);
    const at = performance.now() + ms;
    const pending = this.#delayed.get(key);
    if (pending && pending.at <= at) return;
    clearTimeout(pending?.timer);
    const timer = setTimeout(
      () => {
        this.#delayed.delete(key);
        this.add(key, lane);
      },
      Math.min(ms, MAX_TIMER_MS),
    );
    this.#delayed.set(key, { at, timer });
  }

  /** Adds the key after its own exponential delay: for work that failed. */
  addRateLimited(key: string, lane: Lane = 'normal'): void {
    const { minBackoffMs = 5, maxBackoffMs = 16 * 60_000, jitter = 0, random = Math.random } = this.#options;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#options.metrics?.retried();
    const delay = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(failures, 40));
    this.addAfter(key, delay * (1 + jitter * random()), lane);
  }

  /** Ends the key's backoff: its work succeeded. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Failures since the last `forget`. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, when there is one; undefined once the queue is shut down and empty. */
  get(): Promise<string | undefined> {
    for (const lane of LANES) {
      const [first] = this.#ready[lane];
      if (first) return Promise.resolve(this.#taken(first[0], first[1], lane));
    }
    if (this.#shuttingDown) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** The worker has finished with the key; must follow every `get`. */
  done(key: string): void {
    this.#processing.delete(key);
    const lane = this.#dirty.get(key);
    if (lane) this.#makeReady(key, lane);
    this.#checkDrained();
  }

  /** Takes nothing new; what is ready can still be got, what was delayed is dropped. */
  shutDown(): void {
    this.#shuttingDown = true;
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#delayed.clear();
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
    this.#checkDrained();
  }

  /** Resolves when, after `shutDown`, nothing is ready and nothing is being worked on. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#drainWaiters.push(resolve);
      this.#checkDrained();
    });
  }

  #makeReady(key: string, lane: Lane): void {
    const now = performance.now();
    const waiter = this.#waiters.shift();
    if (waiter) return waiter(this.#taken(key, now, lane));
    this.#ready[lane].set(key, now);
    this.#options.metrics?.depth(this.length);
  }

  #taken(key: string, readyAt: number, lane: Lane): string {
    this.#ready[lane].delete(key);
    this.#dirty.delete(key);
    this.#processing.add(key);
    this.#options.metrics?.waited(performance.now() - readyAt);
    this.#options.metrics?.depth(this.length);
    return key;
  }

  #checkDrained(): void {
    if (!this.#shuttingDown || this.length > 0 || this.#processing.size > 0) return;
    for (const resolve of this.#drainWaiters.splice(0)) resolve();
  }
}
