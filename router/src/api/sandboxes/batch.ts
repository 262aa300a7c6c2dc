// SPDX-License-Identifier: Apache-2.0

import { toHttpError } from '../errors.ts';

/** Most members of one batch; a larger one would hold the connection longer than proxies wait. */
export const MOST_IN_BATCH = 100;
/** How many of a batch are under way towards the API server at a time. */
export const AT_ONCE = 8;

/** Maps all of them in their order, with no more than AT_ONCE under way. */
export async function mapBatch<T, R>(
  items: readonly T[],
  map: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const pending = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of pending) results[index] = await map(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work));
  return results;
}

/** What of a batch did not work. */
export interface Failure {
  readonly status: 'error';
  readonly error: string;
  readonly violations?: readonly unknown[];
}

/** In the words that it would have been refused with alone. */
export function failureOf(error: unknown): Failure {
  const { message, error: code, violations } = toHttpError(error).body;
  return { status: 'error', error: message ?? code, ...(violations ? { violations } : {}) };
}
