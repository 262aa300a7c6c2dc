// SPDX-License-Identifier: Apache-2.0
import type { KubeError } from './errors.ts';

const MAX_ATTEMPTS = 4;
const FIRST_DELAY_MS = 100;
/** A server that asks for more is telling us to go away: the caller learns it from `retryAfterMs`. */
const MAX_DELAY_MS = 10_000;

/**
 * Milliseconds to wait before sending a call again, or undefined to give up. Only for calls that may be sent twice:
 * 429 and 503 mean "not now", and a cut socket (status 0) once, because a pooled socket may die as it is taken.
 * The server's own Retry-After is a lower bound; up to half is added, so that many clients do not come back as one.
 */
export function retryDelay(error: KubeError, attempt: number, random: () => number): number | undefined {
  if (error.status === 0)
    return attempt === 1 && isCutSocket(error.cause) ? FIRST_DELAY_MS * random() : undefined;
  if (error.status !== 429 && error.status !== 503) return undefined;
  if (attempt >= MAX_ATTEMPTS) return undefined;
  const base = error.retryAfterMs ?? FIRST_DELAY_MS * 2 ** (attempt - 1);
  if (base > MAX_DELAY_MS) return undefined;
  return Math.max(base, 10) * (1 + random() / 2);
}

const CUT = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

const isCutSocket = (cause: unknown): boolean =>
  cause instanceof Error && CUT.has(String((cause as { code?: unknown }).code));
