// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey } from 'node:crypto';
import { parseBundle, signed } from './pem.ts';
import type { ParsedCertificate } from './pem.ts';

/** What the Secret holds. All PEM; empty strings where something is missing. */
export interface AuthorityContent {
  /** CA bundle to publish, newest first. */
  readonly ca: string;
  /** Key of the newest CA; the keys of older ones are gone. */
  readonly caKey: string;
  readonly cert: string;
  readonly key: string;
}

export interface AuthorityPolicy {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly caLifetimeMs: number;
  readonly leafLifetimeMs: number;
  /** How long a new CA is only published before it signs what is served: API servers read the bundle with delay. */
  readonly settleMs: number;
}

/**
 * - `authority`: make a CA and a leaf at once; there is nothing to be trusted yet.
 * - `rotate`: make a new CA beside the old one; the leaf stays.
 * - `leaf`: make a leaf with the newest CA.
 * - `prune`: drop CAs that no valid leaf can hang on any more.
 */
export type AuthorityStep = 'authority' | 'rotate' | 'leaf' | 'prune' | undefined;

/** Clocks of API servers may lag: certificates are valid from an hour before they were made. */
export const BACKDATE_MS = 3_600_000;

/**
 * The next thing to do, or undefined. `published`: every webhook configuration carries the newest CA.
 *
 * The order is what keeps every handshake working: a CA is published before a leaf hangs on it, and unpublished only
 * when the last leaf of it has expired. The latter needs no word from the replicas: making a CA destroys its
 * predecessor's key, so the last leaf of the predecessor ends at most one leaf lifetime later, and after that no
 * replica can be serving one.
 */
export function nextStep(
  content: AuthorityContent,
  published: boolean,
  policy: AuthorityPolicy,
  now: number,
): AuthorityStep {
  const bundle = parseBundle(content.ca);
  const [newest] = bundle;
  if (!newest || newest.until <= now || !isKeyOf(content.caKey, newest)) return 'authority';
  if (pastTwoThirds(newest, now)) return 'rotate';
  if (leafDue(content, bundle, { published, policy, now })) return 'leaf';
  return keep(bundle, policy, now).length < bundle.length ? 'prune' : undefined;
}

/** Certificates of the bundle that must stay published. */
export function keep(
  bundle: readonly ParsedCertificate[],
  policy: AuthorityPolicy,
  now: number,
): ParsedCertificate[] {
  return bundle.filter((certificate, index) => {
    const successor = bundle[index - 1];
    if (!successor) return true;
    return certificate.until > now && madeAt(successor) + policy.leafLifetimeMs > now;
  });
}

function leafDue(
  content: AuthorityContent,
  bundle: readonly ParsedCertificate[],
  { published, policy, now }: { published: boolean; policy: AuthorityPolicy; now: number },
): boolean {
  const [leaf] = parseBundle(content.cert);
  const [newest] = bundle;
  if (!leaf || !newest || !isKeyOf(content.key, leaf) || leaf.until <= now) return true;
  if (!bundle.some((authority) => signed(authority, leaf))) return true;
  if (signed(newest, leaf)) return pastTwoThirds(leaf, now) || !covers(leaf, policy);
  // The newest CA took over: its first leaf waits until it is trusted everywhere, or until waiting is worse.
  const settled = published && madeAt(newest) + policy.settleMs <= now;
  return settled || leaf.until - now < policy.leafLifetimeMs / 20;
}

const madeAt = (certificate: ParsedCertificate): number => certificate.from + BACKDATE_MS;

export function pastTwoThirds(
  { from, until }: Pick<ParsedCertificate, 'from' | 'until'>,
  now: number,
): boolean {
  return now >= from + ((until - from) * 2) / 3;
}

function isKeyOf(key: string, certificate: ParsedCertificate): boolean {
  try {
    return certificate.x509.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function covers(leaf: ParsedCertificate, policy: AuthorityPolicy): boolean {
  const { x509 } = leaf;
  const named = policy.dnsNames.every((name) => x509.checkHost(name, { subject: 'never' }) !== undefined);
  return named && policy.ipAddresses.every((address) => x509.checkIP(address) !== undefined);
}
