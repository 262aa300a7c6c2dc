// SPDX-License-Identifier: Apache-2.0

interface Level {
  tokens: number;
  at: number;
}

/** Token buckets by key, bounded in number: the key that was used longest ago is forgotten, which refills it. */
export class TokenBuckets {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #maxKeys: number;
  readonly #levels = new Map<string, Level>();

  constructor(options: { readonly burst: number; readonly perSecond: number; readonly maxKeys?: number }) {
    this.#burst = options.burst;
    this.#perSecond = options.perSecond;
    this.#maxKeys = options.maxKeys ?? 4096;
  }

  /** Takes one token of the key if there is one; `now` in ms of a clock that does not jump. */
  take(key: string, now: number): boolean {
    const level = this.#levels.get(key) ?? { tokens: this.#burst, at: now };
    const tokens = Math.min(this.#burst, level.tokens + ((now - level.at) / 1000) * this.#perSecond);
    const granted = tokens >= 1;
    this.#levels.delete(key);
    this.#levels.set(key, { tokens: granted ? tokens - 1 : tokens, at: now });
    if (this.#levels.size > this.#maxKeys) {
      const [oldest] = this.#levels.keys();
      if (oldest !== undefined) this.#levels.delete(oldest);
    }
    return granted;
  }
}
