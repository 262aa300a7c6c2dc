// SPDX-License-Identifier: Apache-2.0

/** How often and when a request is sent again. */
export interface RetryOptions {
  /** Tries after the first one. */
  readonly most: number;
  /** First wait in milliseconds; each further one is twice as long. */
  readonly firstMs: number;
  /** Longest wait in milliseconds, also of one that the server asks for. */
  readonly longestMs: number;
  /** A POST is sent again too: only for servers and operations where twice is as good as once. */
  readonly post: boolean;
}

export const NO_RETRIES: RetryOptions = { most: 0, firstMs: 250, longestMs: 8_000, post: false };

const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

export interface Attempt {
  readonly method: string;
  /** Tries so far. */
  readonly tries: number;
  /** Of the answer; undefined when there was none. */
  readonly status?: number;
  /** Seconds that the server asked for. */
  readonly retryAfter?: number | undefined;
}

/**
 * Milliseconds until the next try, or undefined when there must be none: a PATCH is never sent twice, and what the
 * server has refused for good stays refused. A quarter of the wait is by chance, so that many clients do not come back at once.
 */
export function waitBefore(
  attempt: Attempt,
  options: RetryOptions,
  random = Math.random,
): number | undefined {
  const { method, tries, status, retryAfter } = attempt;
  if (tries > options.most || method === 'PATCH' || (method === 'POST' && !options.post)) return undefined;
  if (status !== undefined && !PASSING.has(status)) return undefined;
  const backoff = options.firstMs * 2 ** (tries - 1) * (1 + random() / 4);
  return Math.min(retryAfter === undefined ? backoff : retryAfter * 1000, options.longestMs);
}
