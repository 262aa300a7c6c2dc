// SPDX-License-Identifier: Apache-2.0
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { deriveToken } from '@agenttier/machinery/secrets/derive';
import type { Role } from './authorize.ts';
import { signInEnd } from './principal.ts';
import type { KeyScope, Principal } from './principal.ts';

/**
 * Tickets: proof of who opens a terminal, a preview or a download, for places that take no header. A ticket is for one
 * purpose, one sandbox and one person, and short of breath, so it may stand where a token must not: in a URL.
 *
 * `tkt_<claims>.<mac>`, both base64url; the MAC is HMAC-SHA256 under a key of the purpose's own, derived from the
 * installation's runtime key, which every replica holds. So any replica takes what another has issued, and nothing is
 * stored. All characters may stand in a URL's query and in a WebSocket sub-protocol (RFC 6455 4.1, RFC 9110 token).
 */

export type TicketPurpose = 'terminal' | 'preview' | 'download';

/** How long a ticket is good for: from the click to the request that it is for. */
export const TICKET_MS = 60_000;

/** What a ticket says. */
export interface Ticket {
  readonly purpose: TicketPurpose;
  /** Uid of the sandbox: one created anew under the same name is another. */
  readonly sandboxUid: string;
  readonly sub: string;
  readonly email: string;
  readonly name: string;
  readonly isAdmin: boolean;
  /** Of the person's groups those that were asked to be in it: all of them may be hundreds. */
  readonly groups: readonly string[];
  /** The most that the bearer may be; what the sandbox says at the time of use may be less. */
  readonly role: Role;
  /** What of the sandbox it is for, where it is not for all of it. */
  readonly target?: string;
  /** Key that the ticket was got with: what ends the key ends the ticket. */
  readonly keyId?: string;
  /** End of the token or key that the ticket was got with, milliseconds of the epoch. */
  readonly signInEndsAt?: number;
  /** Milliseconds of the epoch. */
  readonly expiresAt: number;
  /** Different in every ticket. */
  readonly nonce: string;
}

export type TicketClaims = Omit<Ticket, 'expiresAt' | 'nonce'>;

export type TicketVerdict =
  | { readonly ok: true; readonly ticket: Ticket }
  | { readonly ok: false; readonly why: 'malformed' | 'forged' | 'expired' };

const PREFIX = 'tkt_';
const SHAPE = /^tkt_([A-Za-z0-9_-]{1,4096})\.([A-Za-z0-9_-]{43})$/;

/** Does this look like a ticket? */
export const looksLikeTicket = (text: string): boolean => text.startsWith(PREFIX);

/** What a ticket for this person says. */
export function claimsOf(
  principal: Principal,
  about: Pick<Ticket, 'purpose' | 'sandboxUid' | 'role' | 'target'> & { readonly groups?: readonly string[] },
): TicketClaims {
  const { sub, email, name, isAdmin, key } = principal;
  const endsAt = signInEnd(principal);
  const end = endsAt === undefined ? {} : { signInEndsAt: endsAt };
  return { groups: [], ...about, sub, email, name, isAdmin, ...(key ? { keyId: key.id } : {}), ...end };
}

/** Issues a ticket; it outlives neither TICKET_MS nor the sign-in. `nonce` is given by tests only. */
export function mintTicket(
  key: Uint8Array,
  claims: TicketClaims,
  now: number,
  nonce = randomBytes(16).toString('base64url'),
): { readonly text: string; readonly expiresAt: number } {
  const expiresAt = Math.min(now + TICKET_MS, claims.signInEndsAt ?? Number.POSITIVE_INFINITY);
  const ticket: Ticket = { ...claims, expiresAt, nonce };
  const body = Buffer.from(JSON.stringify(ticket)).toString('base64url');
  return { text: `${PREFIX}${body}.${macOf(key, claims.purpose, body)}`, expiresAt };
}

/** Judges a ticket for a purpose. It must also be for the sandbox at hand, and for terminals be new: see `Ticket`. */
export function verifyTicket(
  key: Uint8Array,
  text: string,
  purpose: TicketPurpose,
  now: number,
): TicketVerdict {
  const [, body, mac] = SHAPE.exec(text) ?? [];
  if (body === undefined || mac === undefined) return { ok: false, why: 'malformed' };
  const expected = macOf(key, purpose, body);
  if (!timingSafeEqual(Buffer.from(mac), Buffer.from(expected))) return { ok: false, why: 'forged' };
  // Whatever carries the MAC is what we wrote.
  const ticket = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Ticket;
  return ticket.expiresAt > now ? { ok: true, ticket } : { ok: false, why: 'expired' };
}

/**
 * Whom the ticket speaks for; undefined when the key that it was got with is no more. `findKey` gives the principal of a
 * stored key, as the watch knows it now: a key revoked after the ticket was issued has taken the ticket along.
 */
export function bearerOf(
  ticket: Ticket,
  findKey: (id: string) => Principal | undefined,
): Principal | undefined {
  const { sub, email, name, groups, isAdmin, keyId, signInEndsAt } = ticket;
  const end = signInEndsAt === undefined ? {} : { expiresAt: signInEndsAt };
  const key: KeyScope | undefined = keyId === undefined ? undefined : findKey(keyId)?.key;
  if (keyId !== undefined && key === undefined) return undefined;
  return { sub, email, name, groups, isAdmin, ...end, ...(key ? { key } : {}) };
}

/**
 * The subject has no "/", so no key of a purpose is ever the token of a runtime (ADR 4), and a ticket of one purpose
 * proves nothing for another.
 */
const macOf = (key: Uint8Array, purpose: TicketPurpose, body: string): string =>
  createHmac('sha256', deriveToken(key, `ticket:${purpose}`))
    .update(body)
    .digest('base64url');
