// SPDX-License-Identifier: Apache-2.0
import { createHmac, timingSafeEqual } from 'node:crypto';
import { deriveToken } from '@agenttier/machinery/secrets/derive';
import type { Ticket } from '../auth/tickets.ts';

/**
 * What a browser holds after it has come in with a ticket: a cookie for the one origin, signed, good for one port of one
 * sandbox. Nothing is stored, and nothing but the person is in it: what they may do is asked anew for each request.
 */
export interface PreviewSession extends Omit<Ticket, 'purpose' | 'nonce'> {
  readonly port: number;
}

/** A day's work; beyond it one comes in anew. */
export const SESSION_MS = 8 * 60 * 60 * 1000;

const SHAPE = /^([A-Za-z0-9_-]{1,4096})\.([A-Za-z0-9_-]{43})$/;

/** The session that follows from a ticket; it does not outlive the sign-in. */
export function sessionOf(ticket: Ticket, port: number, now: number): PreviewSession {
  const { purpose: _purpose, nonce: _nonce, ...person } = ticket;
  return { ...person, port, expiresAt: Math.min(now + SESSION_MS, ticket.signInEndsAt ?? Infinity) };
}

export function sealSession(key: Uint8Array, session: PreviewSession): string {
  const body = Buffer.from(JSON.stringify(session)).toString('base64url');
  return `${body}.${macOf(key, body)}`;
}

/** Undefined when we did not sign it or its time is over. */
export function openSession(key: Uint8Array, text: string, now: number): PreviewSession | undefined {
  const [, body, mac] = SHAPE.exec(text) ?? [];
  if (body === undefined || mac === undefined) return undefined;
  if (!timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(key, body)))) return undefined;
  const session = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as PreviewSession;
  return session.expiresAt > now ? session : undefined;
}

/** The subject has no "/", so it is never the token of a runtime; nor is it the key of a ticket. */
const macOf = (key: Uint8Array, body: string): string =>
  createHmac('sha256', deriveToken(key, 'preview-session')).update(body).digest('base64url');

/** `__Host-` has the browser refuse a cookie of that name that was set for a whole domain (RFC 6265bis, 4.1.3.2). */
const nameFor = (isSecure: boolean): string => (isSecure ? '__Host-agenttier-preview' : 'agenttier-preview');

export function sessionCookie(value: string, isSecure: boolean, maxAgeMs: number): string {
  const age = Math.max(0, Math.floor(maxAgeMs / 1000));
  const fixed = `${nameFor(isSecure)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${age}`;
  return isSecure ? `${fixed}; Secure` : fixed;
}

/** Every value under our name: a page of another preview can add one where the prefix does not protect it. */
export function cookieValues(cookie: string | undefined, isSecure: boolean): string[] {
  const prefix = `${nameFor(isSecure)}=`;
  return (cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length))
    .slice(0, MAX_VALUES);
}

const MAX_VALUES = 8;
