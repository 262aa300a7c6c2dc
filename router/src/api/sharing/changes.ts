// SPDX-License-Identifier: Apache-2.0
import type { ShareLink, Sharing } from '@agenttier/crds/sandbox/shareLinks';

/** Changes of `spec.sharing` and what clients see of it. Each gives undefined where there is nothing to change. */

export type Level = ShareLink['level'];
export type Kind = 'user' | 'group';

export interface Grant {
  readonly identity: string;
  readonly level: Level;
  readonly kind: Kind;
}

export function granted(sharing: Sharing, { identity, level, kind }: Grant): Sharing | undefined {
  const list = kind === 'group' ? 'groups' : 'users';
  const before = sharing[list] ?? [];
  // Whoever is named by the owner has that from the owner, also where a link brought him before.
  const known = before.find((one) => one.identity === identity);
  if (known?.level === level && !('link' in known)) return undefined;
  const kept = before.filter((one) => one.identity !== identity);
  return { ...sharing, [list]: [...kept, { identity, level }] };
}

/** Takes a person and a group of that name away: which of the two was meant is not said. */
export function revoked(sharing: Sharing, identity: string): Sharing | undefined {
  const { users = [], groups = [] } = sharing;
  const known = [...users, ...groups].some((one) => one.identity === identity);
  if (!known) return undefined;
  return {
    ...sharing,
    users: users.filter((one) => one.identity !== identity),
    groups: groups.filter((one) => one.identity !== identity),
  };
}

export function withLink(sharing: Sharing, link: ShareLink): Sharing {
  return { ...sharing, shareLinks: [...(sharing.shareLinks ?? []), link] };
}

/** Closes a link, and where asked for takes away again who came by it. */
export function withoutLink(sharing: Sharing, id: string, people: boolean): Sharing | undefined {
  const { users = [], shareLinks = [] } = sharing;
  const left = shareLinks.filter((one) => one.id !== id);
  const kept = people ? users.filter(({ link }) => link !== id) : users;
  if (left.length === shareLinks.length && kept.length === users.length) return undefined;
  return { ...sharing, users: kept, shareLinks: left };
}

export interface LinkView {
  readonly id: string;
  readonly level: Level;
  readonly expiresAt: string | null;
  readonly maxUses: number;
  readonly usedCount: number;
}

export interface SharingView {
  readonly users: readonly { readonly identity: string; readonly level: Level; readonly link?: string }[];
  readonly groups: readonly { readonly identity: string; readonly level: Level }[];
  readonly shareLinks: readonly LinkView[];
}

/** Without the hashes: nobody needs them who does not guess. */
export function sharingView({ users = [], groups = [], shareLinks = [] }: Sharing): SharingView {
  return {
    users: users.map(({ identity, level, link }) => ({ identity, level, ...(link ? { link } : {}) })),
    groups: groups.map(({ identity, level }) => ({ identity, level })),
    shareLinks: shareLinks.map(linkView),
  };
}

export const linkView = ({ id, level, expiresAt, maxUses, usedCount }: ShareLink): LinkView => ({
  id,
  level,
  expiresAt: expiresAt ?? null,
  maxUses: maxUses ?? 0,
  usedCount: usedCount ?? 0,
});
