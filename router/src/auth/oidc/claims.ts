// SPDX-License-Identifier: Apache-2.0
import type { JWTPayload } from 'jose';
import { namespacesOf } from '../namespaces.ts';
import type { GroupNamespaces } from '../namespaces.ts';
import type { Principal } from '../principal.ts';
import type { OidcSettings } from './settings.ts';

/** Clocks of an issuer and of a replica may differ by so much. */
export const LEEWAY_SECONDS = 30;

/** OpenID Connect Core, section 2: at most 255 ASCII characters. Anything else could not be impersonated safely. */
const SUBJECT = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

export type ClaimsResult = { ok: true; principal: Principal } | { ok: false; why: string };

/** The person of a token whose signature, issuer, audience and times have been checked. */
export function principalFrom(
  claims: JWTPayload,
  settings: Pick<OidcSettings, 'adminGroup' | 'groupClaim'>,
  mapping: GroupNamespaces,
  now: number,
): ClaimsResult {
  const { sub, iat } = claims;
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) {
    return { ok: false, why: 'the token has no subject of at most 255 printable characters' };
  }
  if (iat !== undefined && iat > now / 1000 + LEEWAY_SECONDS) {
    return { ok: false, why: 'the token was issued in the future' };
  }
  const groups = groupsIn(claims, settings.groupClaim);
  const isAdmin = settings.adminGroup !== '' && groups.includes(settings.adminGroup);
  const namespaces = isAdmin ? undefined : namespacesOf(groups, mapping);
  const principal: Principal = {
    sub,
    email: emailIn(claims),
    name: text(claims['name']),
    groups,
    isAdmin,
    ...(namespaces === undefined ? {} : { namespaces }),
    ...(claims.exp === undefined ? {} : { expiresAt: claims.exp * 1000 }),
  };
  return { ok: true, principal };
}

/** An address that the issuer itself calls unproven must not open what was shared with its real holder. */
const emailIn = (claims: JWTPayload): string =>
  claims['email_verified'] === false || claims['email_verified'] === 'false' ? '' : text(claims['email']);

/** A claim of that very name goes before one inside an object: names may be URLs, which have dots. */
function groupsIn(claims: JWTPayload, claim: string): string[] {
  const value = Object.hasOwn(claims, claim)
    ? claims[claim]
    : claim.split('.').reduce<unknown>(inside, claims);
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (!Array.isArray(value)) return [];
  return value.filter((group): group is string => typeof group === 'string' && group !== '');
}

const inside = (node: unknown, key: string): unknown =>
  typeof node === 'object' && node !== null && Object.hasOwn(node, key)
    ? (node as Record<string, unknown>)[key]
    : undefined;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
