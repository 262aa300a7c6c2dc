// SPDX-License-Identifier: Apache-2.0

export interface Numbered<T> {
  readonly number: number;
  readonly item: T;
}

/** The last items of a sequence, each with its number. */
export class Ring<T> {
  readonly #items: Numbered<T>[] = [];
  readonly #size: number;
  #last = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Number of the newest item; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  push(item: T): Numbered<T> {
    const numbered = { number: ++this.#last, item };
    this.#items.push(numbered);
    // Twice the size before half of it goes, so that a push does not move the rest each time.
    if (this.#items.length >= 2 * this.#size) this.#items.splice(0, this.#items.length - this.#size);
    return numbered;
  }

  /** All that came after that number; undefined when some of it is gone, or when there is no such number yet. */
  after(number: number): readonly Numbered<T>[] | undefined {
    const missing = this.#last - number;
    if (missing < 0 || missing > Math.min(this.#items.length, this.#size)) return undefined;
    return missing === 0 ? [] : this.#items.slice(-missing);
  }
}
