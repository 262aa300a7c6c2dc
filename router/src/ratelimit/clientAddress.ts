// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { contains, parseCidr } from '@agenttier/crds/meta/cidr';
import type { Cidr } from '@agenttier/crds/meta/cidr';

/**
 * Who asks, seen past the proxies that are trusted. Each proxy appends the address that it was asked from, so
 * X-Forwarded-For is read from its end: the first address that is no trusted proxy's is the client's. What stands before
 * it was sent by the client, who may have written anything.
 */
export function clientAddress(peer: string, forwardedFor: string, trusted: readonly Cidr[]): string {
  let known = plain(peer);
  const hops = forwardedFor === '' ? [] : forwardedFor.split(',').reverse();
  for (const hop of hops) {
    if (!isTrusted(known, trusted)) return known;
    const address = plain(hop);
    if (isIP(address) === 0) return known;
    known = address;
  }
  return known;
}

/** Whom a bucket is for. Who has one IPv6 address has the 2^64 of its network. */
export function bucketKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const network = parseCidr(`${address}/64`);
  return network === undefined ? address : `${network.bits.toString(16)}/64`;
}

function isTrusted(address: string, trusted: readonly Cidr[]): boolean {
  const own = parseCidr(`${address}/${isIP(address) === 6 ? 128 : 32}`);
  return own !== undefined && trusted.some((range) => contains(range, own));
}

/** Without port, brackets and zone; an IPv4 address that came over an IPv6 socket as itself. */
function plain(text: string): string {
  const trimmed = text.trim();
  const bare =
    /^\[([^\]]+)\](?::\d+)?$/.exec(trimmed)?.[1] ??
    /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(trimmed)?.[1] ??
    trimmed;
  return bare.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}
