// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Principal } from './principal.ts';
import { bearerOf, claimsOf, looksLikeTicket, mintTicket, TICKET_MS, verifyTicket } from './tickets.ts';
import type { TicketPurpose } from './tickets.ts';

const KEY = Buffer.alloc(32, 7);
const NOW = 1_000_000;
const ann: Principal = { sub: 'ann', email: 'a@x', name: 'Ann', groups: ['a', 'b'], isAdmin: false };
const about = { purpose: 'terminal', sandboxUid: 'uid-1', role: 'owner' } as const;

describe('tickets', () => {
  it('say what they were issued for, for a minute', () => {
    const { text, expiresAt } = mintTicket(KEY, claimsOf(ann, { ...about, groups: ['b'] }), NOW);
    expect(expiresAt).toBe(NOW + TICKET_MS);
    expect(looksLikeTicket(text)).toBe(true);
    const verdict = verifyTicket(KEY, text, 'terminal', NOW + TICKET_MS - 1);
    expect(verdict).toMatchObject({
      ok: true,
      ticket: { sandboxUid: 'uid-1', sub: 'ann', groups: ['b'], role: 'owner' },
    });
    expect(verifyTicket(KEY, text, 'terminal', NOW + TICKET_MS)).toEqual({ ok: false, why: 'expired' });
  });

  it('fit into a sub-protocol and a query as they are', () => {
    const { text } = mintTicket(KEY, claimsOf({ ...ann, name: 'Ännchen 😀' }, about), NOW);
    expect(text).toMatch(/^[A-Za-z0-9_.-]+$/);
  });

  it('are good for one purpose and under one key', () => {
    const { text } = mintTicket(KEY, claimsOf(ann, about), NOW);
    for (const purpose of ['preview', 'download'] satisfies TicketPurpose[]) {
      expect(verifyTicket(KEY, text, purpose, NOW)).toEqual({ ok: false, why: 'forged' });
    }
    const other = Buffer.alloc(32, 8);
    expect(verifyTicket(other, text, 'terminal', NOW)).toEqual({ ok: false, why: 'forged' });
  });

  it('cannot be changed by a bit', () => {
    const { text } = mintTicket(KEY, claimsOf(ann, about), NOW);
    for (let at = 4; at < text.length; at++) {
      const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
      expect(verifyTicket(KEY, changed, 'terminal', NOW).ok).toBe(false);
    }
    for (const junk of ['', 'tkt_', `tkt_.${'A'.repeat(43)}`, `${text}=`, text.slice(1)]) {
      expect(verifyTicket(KEY, junk, 'terminal', NOW)).toEqual({ ok: false, why: 'malformed' });
    }
  });

  it('end with the sign-in that they were got with', () => {
    const { expiresAt, text } = mintTicket(KEY, claimsOf({ ...ann, expiresAt: NOW + 5 }, about), NOW);
    expect(expiresAt).toBe(NOW + 5);
    expect(verifyTicket(KEY, text, 'terminal', NOW + 5).ok).toBe(false);
  });
});

describe('the bearer of a ticket', () => {
  const key = { id: 'k1', sandboxId: 'box', actionGroups: ['terminal'], allowedNamespaces: [] };

  it('is the person, in the groups that the ticket names', () => {
    const verdict = verified(claimsOf({ ...ann, expiresAt: NOW + 9 }, { ...about, groups: ['b'] }));
    expect(bearerOf(verdict, () => undefined)).toEqual({ ...ann, groups: ['b'], expiresAt: NOW + 9 });
  });

  it('is limited by the key as it is now, and nobody when the key is gone', () => {
    const ticket = verified(claimsOf({ ...ann, key: { ...key, actionGroups: [] } }, about));
    expect(bearerOf(ticket, (id) => (id === 'k1' ? { ...ann, key } : undefined))?.key).toEqual(key);
    expect(bearerOf(ticket, () => undefined)).toBeUndefined();
  });

  function verified(claims: ReturnType<typeof claimsOf>) {
    const verdict = verifyTicket(KEY, mintTicket(KEY, claims, NOW).text, 'terminal', NOW);
    if (!verdict.ok) throw new Error(verdict.why);
    return verdict.ticket;
  }
});
