// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import { take } from './bucket.ts';
import type { BucketLimits, BucketState } from './bucket.ts';

/** Whoever has not asked for longest is forgotten first, and then begins with a full bucket again. */
const MOST_KEYS = 20_000;

/** One bucket for each key. A rate of 0 limits nothing. */
export class Buckets {
  readonly limits: BucketLimits;
  readonly #states: LRUCache<string, BucketState>;

  constructor(limits: BucketLimits, most = MOST_KEYS) {
    this.limits = limits;
    this.#states = new LRUCache({ max: most });
  }

  get on(): boolean {
    return this.limits.perSecond > 0;
  }

  /** Milliseconds until the key has so many tokens; 0 when it had them, and they are taken. */
  take(key: string, now: number, count = 1): number {
    if (!this.on) return 0;
    const { state, waitMs } = take(this.#states.get(key), now, this.limits, count);
    this.#states.set(key, state);
    return waitMs;
  }

  /** Milliseconds until the key has a token; 0 when it has one. Nothing is taken. */
  wait(key: string, now: number): number {
    return this.on ? take(this.#states.get(key), now, this.limits).waitMs : 0;
  }

  get size(): number {
    return this.#states.size;
  }
}
