// SPDX-License-Identifier: Apache-2.0

/** Parts that differ from sandbox to sandbox would otherwise be remembered for ever. */
const MOST = 2_000;

/**
 * Gives one object for all that say the same, so that what thousands of cached objects have in common is in memory once.
 * Only for what is never changed in place, as nothing in a cache is.
 */
export class SharedParts {
  readonly #known = new Map<string, object>();

  of<T extends object>(part: T): T {
    const text = JSON.stringify(part);
    const known = this.#known.get(text);
    if (known !== undefined) return known as T;
    // Forgetting costs memory and nothing else: what is shared already stays so.
    if (this.#known.size >= MOST) this.#known.clear();
    this.#known.set(text, part);
    return part;
  }
}
