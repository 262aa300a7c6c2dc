// SPDX-License-Identifier: Apache-2.0

/** Index name -> function naming the values under which an object is found. */
export type Indexers<T> = Readonly<Record<string, (object: T) => readonly string[]>>;

/** Inverted indexes over keys. An index function that throws leaves that object out of that index only. */
export class IndexSet<T> {
  readonly #indexers: Indexers<T>;
  readonly #onError: (error: unknown) => void;
  /** index -> value -> keys */
  readonly #keys = new Map<string, Map<string, Set<string>>>();
  /** key -> pairs under which it is filed */
  readonly #filed = new Map<string, [index: string, value: string][]>();

  constructor(indexers: Indexers<T>, onError: (error: unknown) => void) {
    this.#indexers = indexers;
    this.#onError = onError;
    for (const index of Object.keys(indexers)) this.#keys.set(index, new Map());
  }

  keys(index: string, value: string): string[] {
    const values = this.#keys.get(index);
    if (!values) throw new TypeError(`the store has no index "${index}"`);
    return [...(values.get(value) ?? [])];
  }

  update(key: string, object: T): void {
    this.remove(key);
    const filed: [string, string][] = [];
    for (const [index, values] of this.#keys) {
      for (const value of this.#valuesOf(index, object)) {
        const keys = values.get(value) ?? new Set();
        values.set(value, keys.add(key));
        filed.push([index, value]);
      }
    }
    if (filed.length > 0) this.#filed.set(key, filed);
  }

  remove(key: string): void {
    for (const [index, value] of this.#filed.get(key) ?? []) {
      const values = this.#keys.get(index);
      const keys = values?.get(value);
      keys?.delete(key);
      if (keys?.size === 0) values?.delete(value);
    }
    this.#filed.delete(key);
  }

  #valuesOf(index: string, object: T): readonly string[] {
    try {
      return this.#indexers[index]?.(object) ?? [];
    } catch (error) {
      this.#onError(error);
      return [];
    }
  }
}
