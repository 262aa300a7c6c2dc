// SPDX-License-Identifier: Apache-2.0
import type { OutEvent } from '../sse/eventStream.ts';

/** Events that one client has not taken yet. Beyond it the client is told to read everything anew. */
const MOST_WAITING = 1000;

/** The events for one client, between who writes them and the connection that takes them as fast as it can. */
export class Follower {
  #waiting: OutEvent[] = [];
  #wake: (() => void) | undefined;
  #isOver = false;
  readonly #reset: () => OutEvent;

  constructor(reset: () => OutEvent) {
    this.#reset = reset;
  }

  offer(event: OutEvent): void {
    if (this.#isOver) return;
    this.#waiting.push(event);
    if (this.#waiting.length > MOST_WAITING) this.#waiting = [this.#reset()];
    this.#wake?.();
  }

  /** What waits is still taken. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  async *events(): AsyncGenerator<OutEvent> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
