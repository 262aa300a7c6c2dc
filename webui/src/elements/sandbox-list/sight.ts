// SPDX-License-Identifier: Apache-2.0

/** Items at the top that are drawn at once; of the others those that come into sight, where the browser says which. */
const AT_ONCE = 60;
const TELLS_SIGHT = 'ContentVisibilityAutoStateChangeEvent' in globalThis;
/** Of those that have been in sight and are not any more; older ones are taken down. */
const MOST_KEPT = 200;

/**
 * Which of a thousand items are drawn in full: those in sight, and the last few hundred that were, so that a list that
 * somebody scrolls through does not grow. An item that holds the focus counts as in sight.
 */
export class Sight {
  readonly #drawn = new Set<string>();
  /** In the order in which they went out of sight. */
  readonly #left = new Set<string>();

  draws(key: string, at: number): boolean {
    return !TELLS_SIGHT || at < AT_ONCE || this.#drawn.has(key);
  }

  /** Takes the event of an item with `data-key`; true when another one is to be drawn, or one less. */
  take(event: Event): boolean {
    const key = event.target instanceof HTMLElement ? event.target.dataset['key'] : undefined;
    if (key === undefined) return false;
    return (event as ContentVisibilityAutoStateChangeEvent).skipped ? this.leave(key) : this.enter(key);
  }

  enter(key: string): boolean {
    this.#left.delete(key);
    if (this.#drawn.has(key)) return false;
    this.#drawn.add(key);
    return true;
  }

  leave(key: string): boolean {
    if (!this.#drawn.has(key)) return false;
    this.#left.add(key);
    if (this.#left.size <= MOST_KEPT) return false;
    const [oldest = key] = this.#left;
    this.#left.delete(oldest);
    return this.#drawn.delete(oldest);
  }
}
