// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const SHAPE = /^[A-Za-z0-9_-]{43}$/;

/** The secret of a new link, which is told once, and what is kept of it. */
export function newLinkToken(): { readonly id: string; readonly token: string; readonly tokenHash: string } {
  const token = randomBytes(32).toString('base64url');
  return { id: randomBytes(8).toString('hex'), token, tokenHash: hashToken(token) };
}

/** With that many random bits a plain hash keeps the secret as well as a slow one. */
export const hashToken = (token: string): string => createHash('sha256').update(token, 'utf8').digest('hex');

export const looksLikeToken = (token: string): boolean => SHAPE.test(token);

/** Comparison whose duration tells nothing about where two hashes differ. */
export function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
