// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { isRedemption, redeem } from './shareLinks.ts';
import type { ShareLink, Sharing } from './shareLinks.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const bob = { sub: 'bob', now: NOW };
const link = (over: Partial<ShareLink> = {}): ShareLink => ({
  id: 'l1',
  tokenHash: 'a'.repeat(64),
  level: 'viewer',
  ...over,
});
const shared = (over: Partial<ShareLink> = {}, users: Sharing['users'] = []): Sharing => ({
  users,
  shareLinks: [link({ id: 'other' }), link(over)],
});

describe('redeem', () => {
  it('makes the person one of the users, at the level of the link, and counts the use', () => {
    const carol = { identity: 'carol', level: 'viewer' } as const;
    const taken = redeem(shared({ level: 'collaborator', maxUses: 2, usedCount: 1 }, [carol]), 'l1', bob);
    expect(taken).toEqual({
      ok: true,
      sharing: {
        users: [carol, { identity: 'bob', level: 'collaborator', link: 'l1' }],
        shareLinks: [link({ id: 'other' }), link({ level: 'collaborator', maxUses: 2, usedCount: 2 })],
      },
    });
  });

  const refused: [why: string, sharing: Sharing | undefined, id: string][] = [
    ['unknown', undefined, 'l1'],
    ['unknown', shared(), 'l2'],
    ['expired', shared({ expiresAt: '2026-06-01T12:00:00Z' }), 'l1'],
    ['expired', shared({ expiresAt: 'soon' }), 'l1'],
    ['used_up', shared({ maxUses: 1, usedCount: 1 }), 'l1'],
    ['needless', shared({ maxUses: 1, usedCount: 1 }, [{ identity: 'bob', level: 'viewer' }]), 'l1'],
    ['needless', shared({}, [{ identity: 'bob', level: 'collaborator' }]), 'l1'],
  ];
  it.each(refused)('is %s', (why, sharing, id) => {
    expect(redeem(sharing, id, bob)).toEqual({ ok: false, why });
  });

  it('raises who had less, and takes 0 uses for any number', () => {
    const before = shared({ level: 'collaborator', maxUses: 0, usedCount: 9 }, [
      { identity: 'bob', level: 'viewer' },
    ]);
    expect(redeem(before, 'l1', bob)).toMatchObject({
      ok: true,
      sharing: { users: [{ identity: 'bob', level: 'collaborator' }] },
    });
  });
});

describe('isRedemption', () => {
  const before = shared({ maxUses: 2 });
  const taken = redeem(before, 'l1', bob);
  const after = taken.ok ? taken.sharing : {};

  it('knows what redeem makes', () => {
    expect(isRedemption(before, after, bob)).toBe(true);
  });

  const others: [name: string, after: Sharing | undefined][] = [
    ['nothing', before],
    ['an end of all sharing', undefined],
    ['a use that is not counted', { ...after, shareLinks: before.shareLinks ?? [] }],
    [
      'a level of one’s own choice',
      { ...after, users: [{ identity: 'bob', level: 'collaborator', link: 'l1' }] },
    ],
    ['somebody else', { ...after, users: [{ identity: 'eve', level: 'viewer', link: 'l1' }] }],
    [
      'somebody else beside',
      { ...after, users: [...(after.users ?? []), { identity: 'eve', level: 'viewer' }] },
    ],
    ['a group beside', { ...after, groups: [{ identity: 'dev', level: 'viewer' }] }],
  ];
  it.each(others)('is not %s', (_name, other) => {
    expect(isRedemption(before, other, bob)).toBe(false);
  });

  it('is nobody else’s, and not after the link has expired', () => {
    expect(isRedemption(before, after, { sub: 'eve', now: NOW })).toBe(false);
    const closed = shared({ maxUses: 2, expiresAt: new Date(NOW + 1).toISOString() });
    expect(isRedemption(closed, after, { sub: 'bob', now: NOW + 1 })).toBe(false);
  });
});
