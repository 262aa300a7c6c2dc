// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '@agenttier/machinery/runtime/clock';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { AuditRow } from './row.ts';
import type { AuditStore } from './store.ts';

export interface AuditQueueOptions {
  readonly store: Pick<AuditStore, 'append'>;
  readonly log: Logger;
  /** So many rows could not be kept. */
  readonly dropped: (count: number) => void;
  readonly clock?: Clock;
  /** Rows that wait at most. */
  readonly most?: number;
}

const MOST = 10_000;
const BATCH = 500;
const EVERY_MS = 200;
const RETRY_MS = 2_000;
/** A store that is away must not keep the process from ending. */
const LAST_TRIES = 3;

/**
 * Rows on their way into the store. Whoever adds one never waits and never fails: rows are written in batches, behind
 * everything else; while the store is away they wait, and when too many do, the newest are dropped and counted. They are
 * still in the log, which has every act.
 */
export class AuditQueue {
  readonly #options: AuditQueueOptions;
  readonly #clock: Clock;
  readonly #most: number;
  #waiting: AuditRow[] = [];
  #ended = false;
  #running: Promise<void> | undefined;

  constructor(options: AuditQueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#most = options.most ?? MOST;
  }

  add(row: AuditRow): void {
    if (this.#ended || this.#waiting.length >= this.#most) {
      this.#options.dropped(1);
      return;
    }
    this.#waiting.push(row);
    this.#start();
  }

  /** Writes what waits and takes nothing more. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#running;
    for (let tries = 0; this.#waiting.length > 0 && tries < LAST_TRIES; tries++) await this.#write();
    if (this.#waiting.length > 0) this.#options.dropped(this.#waiting.length);
    this.#waiting = [];
  }

  /** A row may come between the end of a run and its being seen here: then there is another. */
  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#waiting.length > 0 && !this.#ended) this.#start();
    });
  }

  async #run(): Promise<void> {
    await this.#clock.sleep(EVERY_MS);
    while (this.#waiting.length > 0) {
      if (await this.#write()) continue;
      if (this.#ended) return;
      await this.#clock.sleep(RETRY_MS);
    }
  }

  async #write(): Promise<boolean> {
    const batch = this.#waiting.slice(0, BATCH);
    try {
      await this.#options.store.append(batch);
      this.#waiting.splice(0, batch.length);
      return true;
    } catch (error) {
      this.#options.log.warn({ err: error, waiting: this.#waiting.length }, 'audit rows could not be stored');
      return false;
    }
  }
}
