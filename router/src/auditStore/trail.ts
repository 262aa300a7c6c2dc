// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '@agenttier/machinery/runtime/clock';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Audit, AuditEntry } from '@agenttier/machinery/telemetry/audit';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { AuditQueue } from './queue.ts';
import { rowOf } from './row.ts';
import type { AuditQuery, AuditStore } from './store.ts';
import type { AuditRow } from './row.ts';

export interface AuditTrailOptions {
  /** Opens the store; it is called once, when the first row is written or asked for. */
  readonly open: () => Promise<AuditStore>;
  readonly retentionMs: number;
  readonly dropped: (count: number) => void;
  readonly log: Logger;
  readonly clock?: Clock;
}

export interface SeenAct {
  readonly note: string;
  /** Milliseconds of the epoch, the same for whoever sees it. */
  readonly at: number;
  /** Twelve hex digits that tell it apart from others of that moment. */
  readonly digest: string;
}

const PRUNE_EVERY_MS = 3_600_000;

/** What has been done, kept: rows go in behind everything else, and are read back by page. */
export class AuditTrail {
  readonly #options: AuditTrailOptions;
  readonly #clock: Clock;
  readonly #queue: AuditQueue;
  #opened: Promise<AuditStore> | undefined;

  constructor(options: AuditTrailOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { log, dropped } = options;
    const store = { append: async (rows: readonly AuditRow[]) => (await this.#store()).append(rows) };
    this.#queue = new AuditQueue({ store, log, dropped, clock: this.#clock });
  }

  /** Keeps one act. Never throws and never waits. */
  readonly keep = (entry: AuditEntry, note?: string): void => {
    this.#queue.add(rowOf(entry, note, this.#clock.now()));
  };

  /** Keeps what several replicas see: the store has it once, by the moment and the digest. */
  readonly keepOnce = (entry: AuditEntry, { note, at, digest }: SeenAct): void => {
    this.#queue.add(rowOf(entry, note, at, digest));
  };

  async find(query: AuditQuery): Promise<readonly AuditRow[]> {
    try {
      return await (await this.#store()).find(query);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'audit rows could not be read');
      throw error;
    }
  }

  /** Forgets what is too old, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { retentionMs, log } = this.#options;
    while (!signal.aborted) {
      try {
        const gone = await (await this.#store()).prune(this.#clock.now() - retentionMs);
        if (gone > 0) log.info({ rows: gone }, 'audit rows forgotten');
      } catch (error) {
        log.warn({ err: error }, 'old audit rows could not be forgotten');
      }
      await this.#clock.sleep(PRUNE_EVERY_MS, signal).catch(() => {});
    }
  }

  /** Writes what waits, then lets go of the store. */
  async close(): Promise<void> {
    await this.#queue.close();
    const store = await this.#opened?.catch(() => undefined);
    await store?.close().catch(() => {});
  }

  #store(): Promise<AuditStore> {
    this.#opened ??= this.#options.open().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }
}

/** The same audit, with each act kept as well. */
export function keeping(audit: Audit, keep: AuditTrail['keep']): Audit {
  return (entry, event) => {
    audit(entry, event);
    keep(entry, event?.note);
  };
}
