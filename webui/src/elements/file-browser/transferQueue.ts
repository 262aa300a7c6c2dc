// SPDX-License-Identifier: Apache-2.0
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { problemOf } from '../../data/problem.ts';

export interface Transfer {
  readonly id: number;
  /** For people. */
  readonly name: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'canceled';
  readonly done: number;
  readonly whole: number;
  readonly message: string;
}

/** What is transferred: it tells how far it is, and may throw. */
export type Work = (signal: AbortSignal, onProgress: (done: number) => void) => Promise<void>;

/** Transfers one after the other: together they would only take longer each. They end with the element. */
export class TransferQueue implements ReactiveController {
  #transfers: readonly Transfer[] = [];
  readonly #host: ReactiveControllerHost;
  readonly #ends = new Map<number, AbortController>();
  #last: Promise<void> = Promise.resolve();
  #count = 0;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  get transfers(): readonly Transfer[] {
    return this.#transfers;
  }

  /** Something waits or is under way. */
  get isBusy(): boolean {
    return this.#ends.size > 0;
  }

  hostDisconnected(): void {
    for (const id of this.#ends.keys()) this.cancel(id);
  }

  /** Resolves when it has ended, with whether it came to its end. */
  add(name: string, whole: number, work: Work): Promise<boolean> {
    const id = ++this.#count;
    const end = new AbortController();
    this.#ends.set(id, end);
    this.#set([...this.#transfers, { id, name, state: 'waiting', done: 0, whole, message: '' }]);
    const result = this.#last.then(() => this.#run(id, end.signal, work));
    this.#last = result.then(() => undefined);
    return result;
  }

  cancel(id: number): void {
    this.#ends.get(id)?.abort();
    this.#change(id, { state: 'canceled' });
  }

  /** Forgets those that have ended. */
  clear(): void {
    this.#set(this.#transfers.filter(({ id }) => this.#ends.has(id)));
  }

  async #run(id: number, signal: AbortSignal, work: Work): Promise<boolean> {
    try {
      if (signal.aborted) return false;
      this.#change(id, { state: 'running' });
      await work(signal, (done) => this.#change(id, { done }));
      this.#change(id, { state: 'done' });
      return true;
    } catch (error) {
      if (!signal.aborted) this.#change(id, { state: 'failed', message: problemOf(error).message });
      return false;
    } finally {
      this.#ends.delete(id);
      this.#host.requestUpdate();
    }
  }

  #change(id: number, change: Partial<Transfer>): void {
    this.#set(this.#transfers.map((one) => (one.id === id ? { ...one, ...change } : one)));
  }

  #set(transfers: readonly Transfer[]): void {
    this.#transfers = transfers;
    this.#host.requestUpdate();
  }
}
