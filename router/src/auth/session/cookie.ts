// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deriveToken } from '@agenttier/machinery/secrets/derive';

/**
 * A sign-in as the browser keeps it: the issuer's tokens, sealed with a key that only this installation has. Nothing is
 * stored here, so any replica takes what another one has set; no page can read it, and nobody can make one up.
 */
export interface BrowserSession {
  readonly idToken: string;
  readonly refreshToken?: string;
  readonly sub: string;
  /** End of the ID token, milliseconds of the epoch. */
  readonly expiresAt: number;
}

/** The same with `__Host-` in front is taken by browsers only with Secure, for this host and for every path (RFC 6265bis, 4.1.3.2). */
const NAME = '__Host-agenttier-session';
/** Browsers keep 4096 bytes of name and value (RFC 6265bis, 5.6), and a whole head of a request may have 16 KiB. */
const PART = 3_800;
const MOST_PARTS = 3;
const NONCE = 12;
const TAG = 16;
const PARTS = Array.from({ length: MOST_PARTS }, (_, index) => `${NAME}-${index}`);
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';

/** AES-256-GCM; undefined when the tokens are too long for cookies. `nonce` is given by tests only. */
export function sealSession(
  key: Uint8Array,
  session: BrowserSession,
  nonce: Uint8Array = randomBytes(NONCE),
): string | undefined {
  const cipher = createCipheriv('aes-256-gcm', sealingKey(key), nonce);
  const sealed = Buffer.concat([nonce, cipher.update(JSON.stringify(session), 'utf8'), cipher.final()]);
  const text = Buffer.concat([sealed, cipher.getAuthTag()]).toString('base64url');
  return text.length > PART * MOST_PARTS ? undefined : text;
}

/** Undefined for what this installation did not seal. */
export function openSession(key: Uint8Array, text: string): BrowserSession | undefined {
  const sealed = Buffer.from(text, 'base64url');
  if (sealed.length <= NONCE + TAG) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(key), sealed.subarray(0, NONCE), {
    authTagLength: TAG,
  });
  decipher.setAuthTag(sealed.subarray(-TAG));
  try {
    const opened = Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()]);
    // Whatever carries the tag is what we wrote.
    return JSON.parse(opened.toString('utf8')) as BrowserSession;
  } catch {
    return undefined;
  }
}

/** The subject has no "/", so it is never the token of a runtime; nor is it the key of a ticket. */
const sealingKey = (key: Uint8Array): Buffer => Buffer.from(deriveToken(key, 'browser-session'), 'base64url');

/**
 * The cookies that hold a sealed session, or none for an empty text: each part is named each time, so that nothing is left
 * of a longer one. They end with the browser.
 */
export const sessionCookies = (sealed: string): string[] =>
  PARTS.map((name, index) => {
    const part = sealed.slice(index * PART, (index + 1) * PART);
    return part === '' ? `${name}=; Max-Age=0; ${ATTRIBUTES}` : `${name}=${part}; ${ATTRIBUTES}`;
  });

/** What was sealed, put together from a Cookie header; undefined when there is nothing of ours in it. */
export function sealedIn(header: string | undefined): string | undefined {
  if (header === undefined || !header.includes(NAME)) return undefined;
  const pairs = header.split(';').map((pair) => pair.trim());
  const parts = PARTS.map((name) => pairs.find((pair) => pair.startsWith(`${name}=`)) ?? '');
  const sealed = parts.map((pair) => pair.slice(pair.indexOf('=') + 1)).join('');
  return sealed === '' ? undefined : sealed;
}
