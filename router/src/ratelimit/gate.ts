// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LRUCache } from 'lru-cache';
import { refusals } from '../api/errors.ts';
import { Buckets } from './buckets.ts';
import { bucketKey, clientAddress } from './clientAddress.ts';
import type { RateLimits } from './settings.ts';

export type LimitName = 'address' | 'user' | 'sign_in';

export interface GateOptions {
  readonly limits: RateLimits;
  /** Somebody was sent away. */
  readonly observe: (limit: LimitName) => void;
  /** Milliseconds on a clock that never jumps back. */
  readonly now?: () => number;
}

const PROVEN = { most: 10_000, forMs: 10 * 60_000 };

/** Limits how much is asked, by address and by person. Every method throws the 429 that tells when to come back. */
export class Gate {
  readonly #options: GateOptions;
  readonly #now: () => number;
  readonly #addresses: Buckets;
  readonly #persons: Buckets;
  readonly #failures: Buckets;
  /** Hashes of credentials that were good a moment ago. */
  readonly #proven = new LRUCache<string, true>({ max: PROVEN.most, ttl: PROVEN.forMs });

  constructor(options: GateOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const { perAddress, perUser, failures } = options.limits;
    this.#addresses = new Buckets(perAddress);
    this.#persons = new Buckets(perUser);
    this.#failures = new Buckets(failures);
  }

  /** The address that a request comes from, past trusted proxies. */
  readonly addressOf = ({ socket, headers }: IncomingMessage): string => {
    const forwarded = headers['x-forwarded-for'] ?? '';
    // Node joins repeated lines of this header with commas; its type does not say so.
    const text = Array.isArray(forwarded) ? forwarded.join(',') : forwarded;
    return clientAddress(socket.remoteAddress ?? '', text, this.#options.limits.trustedProxies);
  };

  /** One request from the address. */
  request(address: string): void {
    this.#charge('address', this.#addresses, bucketKey(address), 1);
  }

  /** So many requests of the person. More than fit into a bucket can never be had, so nobody is told to wait for them. */
  person(sub: string, count: number): void {
    const { on, limits } = this.#persons;
    if (on && count > limits.burst) throw refusals.batchTooLarge(count, Math.floor(limits.burst));
    this.#charge('user', this.#persons, sub, count);
  }

  /**
   * Establishes somebody with a credential. An address from which too many bad ones have come is not listened to for a
   * while, except with a credential that has been good lately: many people may share one address, and none of them is to
   * be locked out by another.
   */
  async signIn<T>(address: string, credential: string, check: () => Promise<T>): Promise<T> {
    const hash = createHash('sha256').update(credential).digest('base64');
    const key = bucketKey(address);
    if (!this.#proven.has(hash)) {
      this.#refuse('sign_in', this.#failures.wait(key, this.#now()));
    }
    try {
      const result = await check();
      this.#proven.set(hash, true);
      return result;
    } catch (error) {
      if ((error as { status?: unknown }).status === 401) this.#failures.take(key, this.#now());
      throw error;
    }
  }

  #charge(limit: LimitName, buckets: Buckets, key: string, count: number): void {
    this.#refuse(limit, buckets.take(key, this.#now(), count));
  }

  #refuse(limit: LimitName, waitMs: number): void {
    if (waitMs <= 0) return;
    this.#options.observe(limit);
    throw refusals.rateLimited(Math.max(1, Math.ceil(waitMs / 1000)));
  }
}
