// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';

const RELOAD_MS = 60_000;

/**
 * Token from a file that its owner replaces now and then (a projected ServiceAccount token, about hourly). Read again
 * once a minute at most; when a read fails, the last good token is used on, since it is valid well past its replacement.
 */
export function tokenFromFile(path: string, clock: Clock = systemClock): () => Promise<string> {
  let token: string | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<string> | undefined;
  const read = async (): Promise<string> => {
    try {
      token = (await readFile(path, 'utf8')).trim();
      readAt = clock.monotonic();
      return token;
    } catch (error) {
      if (token === undefined) throw new Error(`token file ${path} cannot be read`, { cause: error });
      return token;
    } finally {
      reading = undefined;
    }
  };
  return () => {
    if (token !== undefined && clock.monotonic() - readAt < RELOAD_MS) return Promise.resolve(token);
    reading ??= read();
    return reading;
  };
}
