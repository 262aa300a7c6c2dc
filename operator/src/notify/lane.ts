// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Delivery } from './delivery.ts';
import { LIFETIME_MS, retryAfterMs } from './schedule.ts';

/** What came of one try. */
export interface Attempt {
  readonly success: boolean;
  readonly statusCode?: number;
  readonly error?: string;
}

export interface LaneOptions {
  readonly send: (delivery: Delivery, signal: AbortSignal) => Promise<Attempt>;
  /** A try has ended; `attempt` is 1 for the first. */
  readonly tried: (delivery: Delivery, attempt: number, result: Attempt) => void;
  /** The event is not worked on any more: delivered, or given up. */
  readonly settled: (delivery: Delivery, how: 'delivered' | 'expired' | 'crowded') => void;
  readonly clock: Clock;
  readonly random?: (() => number) | undefined;
}

interface Entry {
  readonly delivery: Delivery;
  attempts: number;
  /** Not tried before this moment, in milliseconds since the epoch. */
  dueAt: number;
  running: boolean;
}

const CONCURRENCY = 8;
const MAX_WAITING = 1_000;
/** Ids that are remembered after they were settled, so that one that is added again is not sent again. */
const MAX_REMEMBERED = 2_000;

/**
 * The events on their way to one subscription. Each subscription has its own, so that a receiver that does not answer
 * holds up nobody else. Up to eight are under way at once; those of one sandbox one after the other in their order, but
 * an event that is waiting for another try lets later ones pass.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #settled = new Set<string>();
  readonly #stop = new AbortController();
  #running = 0;
  #timer: AbortController | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  knows(id: string): boolean {
    return this.#entries.has(id) || this.#settled.has(id);
  }

  add(delivery: Delivery): void {
    if (this.#stop.signal.aborted || this.knows(delivery.id)) return;
    if (this.#entries.size >= MAX_WAITING) this.#dropOldest();
    this.#entries.set(delivery.id, { delivery, attempts: 0, dueAt: 0, running: false });
    this.#pump();
  }

  /** Ends what is under way; nothing is told of it any more. */
  stop(): void {
    this.#stop.abort();
    this.#timer?.abort();
    this.#entries.clear();
  }

  #dropOldest(): void {
    const oldest = [...this.#entries.values()].find(({ running }) => !running);
    if (oldest !== undefined) this.#settle(oldest, 'crowded');
  }

  #settle(entry: Entry, how: 'delivered' | 'expired' | 'crowded'): void {
    const { id } = entry.delivery;
    this.#entries.delete(id);
    this.#settled.add(id);
    if (this.#settled.size > MAX_REMEMBERED) {
      const [oldest] = this.#settled;
      if (oldest !== undefined) this.#settled.delete(oldest);
    }
    this.#options.settled(entry.delivery, how);
  }

  #pump(): void {
    const now = this.#options.clock.now();
    const busy = new Set<string>();
    for (const { running, delivery } of this.#entries.values()) {
      if (running) busy.add(delivery.sandbox.uid);
    }
    for (const entry of this.#entries.values()) {
      if (this.#running >= CONCURRENCY) break;
      const { uid } = entry.delivery.sandbox;
      if (entry.running || entry.dueAt > now || busy.has(uid)) continue;
      busy.add(uid);
      void this.#run(entry);
    }
    this.#setTimer(now);
  }

  async #run(entry: Entry): Promise<void> {
    entry.running = true;
    this.#running++;
    const { signal } = this.#stop;
    const result = await this.#options
      .send(entry.delivery, signal)
      .catch((error: unknown): Attempt => ({ success: false, error: textOf(error) }));
    this.#running--;
    entry.running = false;
    if (signal.aborted) return;
    entry.attempts++;
    this.#conclude(entry, result);
    if (!signal.aborted) this.#pump();
  }

  #conclude(entry: Entry, result: Attempt): void {
    const { clock, random, tried } = this.#options;
    const { delivery, attempts } = entry;
    if (result.success) this.#settle(entry, 'delivered');
    else {
      const now = clock.now();
      entry.dueAt = now + retryAfterMs(attempts, random);
      if (entry.dueAt >= Date.parse(delivery.time) + LIFETIME_MS) this.#settle(entry, 'expired');
    }
    // Last, since it may stop the lane.
    tried(delivery, attempts, result);
  }

  /** One timer, for the event that is due next. */
  #setTimer(now: number): void {
    this.#timer?.abort();
    const dues = [...this.#entries.values()].filter(({ running }) => !running).map(({ dueAt }) => dueAt);
    const next = Math.min(...dues.filter((at) => at > now));
    if (!Number.isFinite(next)) return;
    const timer = new AbortController();
    this.#timer = timer;
    this.#options.clock.sleep(next - now, timer.signal).then(
      () => this.#pump(),
      () => undefined,
    );
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
