// SPDX-License-Identifier: Apache-2.0

export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
  readonly random?: (() => number) | undefined;
}

/**
 * Delays that double, drawn uniformly from [w, 2w]: every delay lies within min and max and no two clients that failed
 * together come back together.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  next(): number {
    const { minMs, maxMs, random = Math.random } = this.#options;
    const window = Math.min(minMs * 2 ** Math.min(this.#attempt++, 30), Math.max(minMs, maxMs / 2));
    return Math.min(maxMs, window * (1 + random()));
  }

  reset(): void {
    this.#attempt = 0;
  }
}
