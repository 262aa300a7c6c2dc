// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '../generated/types.ts';
import { equalJson } from '../meta/canonical.ts';

export type Sharing = NonNullable<SandboxSpec['sharing']>;
export type ShareLink = NonNullable<Sharing['shareLinks']>[number];

/** Who takes what a link offers, and when (milliseconds since the epoch). */
export interface Redeemer {
  readonly sub: string;
  readonly now: number;
}

export type Redemption =
  | { readonly ok: true; readonly sharing: Sharing }
  | {
      readonly ok: false;
      /** `needless`: the person has as much already, so no use is spent. */
      readonly why: 'unknown' | 'expired' | 'used_up' | 'needless';
    };

/**
 * What sharing becomes when somebody takes what a link offers: one more of the users, at the link's level, and one use
 * counted. The router writes exactly this and admission checks that it is exactly this.
 */
export function redeem(sharing: Sharing | undefined, id: string, redeemer: Redeemer): Redemption {
  const { users = [], shareLinks = [] } = sharing ?? {};
  const link = shareLinks.find((one) => one.id === id);
  if (link === undefined || redeemer.sub === '') return { ok: false, why: 'unknown' };
  const why = objection(link, users, redeemer);
  if (why !== undefined) return { ok: false, why };
  const identity = redeemer.sub;
  const others = users.filter((one) => one.identity !== identity);
  const counted = { ...link, usedCount: (link.usedCount ?? 0) + 1 };
  return {
    ok: true,
    sharing: {
      ...sharing,
      users: [...others, { identity, level: link.level, link: link.id }],
      shareLinks: shareLinks.map((one) => (one === link ? counted : one)),
    },
  };
}

type Objection = Extract<Redemption, { ok: false }>['why'];

function objection(
  { expiresAt, maxUses = 0, usedCount = 0, level }: ShareLink,
  users: NonNullable<Sharing['users']>,
  { sub, now }: Redeemer,
): Objection | undefined {
  // A time that cannot be read is no time that is still to come.
  if (expiresAt !== undefined && !(Date.parse(expiresAt) > now)) return 'expired';
  const before = users.find(({ identity }) => identity === sub)?.level;
  if (before === 'collaborator' || before === level) return 'needless';
  return maxUses > 0 && usedCount >= maxUses ? 'used_up' : undefined;
}

/** Whether a change of sharing is that of somebody who took what a link offers, and nothing else. */
export function isRedemption(
  before: Sharing | undefined,
  after: Sharing | undefined,
  redeemer: Redeemer,
): boolean {
  // Before the schema is checked either may be of any shape; what is stored has passed it.
  const links = Array.isArray(before?.shareLinks) ? before.shareLinks : [];
  return links.some(({ id }) => {
    const taken = redeem(before, id, redeemer);
    return taken.ok && equalJson(taken.sharing, after ?? {});
  });
}
