// SPDX-License-Identifier: Apache-2.0
import { lookup as dnsLookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/**
 * Ranges that no request on behalf of a user may go to: they reach this machine, this cluster, its cloud's metadata service
 * or nobody (IANA special-purpose registries, RFC 6890 and its successors). Ranges that carry an IPv4 address inside an IPv6
 * one are closed as a whole, since what is inside may be any of these.
 */
const CLOSED: readonly (readonly [address: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

/** Names that mean this machine or this cluster whatever a resolver says. */
const LOCAL_NAMES =
  /(^|\.)(localhost|local|localdomain|internal|intranet|home\.arpa|svc|cluster\.local)\.?$/i;

type Family = 'ipv4' | 'ipv6';

const familyOf = (address: string): Family => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** One list per family: node takes a rule for IPv4 addresses in their IPv6 form for one about IPv4 itself. */
class Ranges {
  readonly #lists: Readonly<Record<Family, BlockList>> = { ipv4: new BlockList(), ipv6: new BlockList() };

  constructor(ranges: Iterable<readonly [address: string, prefix: number]>) {
    for (const [address, prefix] of ranges) {
      const family = familyOf(address);
      this.#lists[family].addSubnet(address, prefix, family);
    }
  }

  holds(address: string): boolean {
    const family = familyOf(address);
    return this.#lists[family].check(address, family);
  }
}

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** A host that must not be called; the message says why, for people. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** Which addresses may be called on behalf of users. */
export class PublicAddresses {
  readonly #closed = new Ranges(CLOSED);
  readonly #open: Ranges;
  readonly #resolve: (host: string) => Promise<readonly Address[]>;

  /** `allowed` are ranges in CIDR form that may be called although they are closed, for receivers inside a network. */
  constructor(
    allowed: readonly string[] = [],
    resolve: (host: string) => Promise<readonly Address[]> = resolveHost,
  ) {
    this.#open = new Ranges(
      allowed.map((cidr) => {
        const [address = '', prefix = ''] = cidr.split('/');
        return [address, Number(prefix)] as const;
      }),
    );
    this.#resolve = resolve;
  }

  permits(address: string): boolean {
    if (isIP(address) === 0) return false;
    return !this.#closed.holds(address) || this.#open.holds(address);
  }

  /** What speaks against a URL's host as it is written, without asking anybody; undefined when nothing does. */
  objection(hostname: string): string | undefined {
    const host = bare(hostname);
    if (isIP(host) !== 0) {
      return this.permits(host) ? undefined : `${host} is not a public address`;
    }
    if (LOCAL_NAMES.test(host) || !host.includes('.')) return `${host} is a name inside a network`;
    return undefined;
  }

  /**
   * The address to dial for a host. It is asked for once: whoever dials the name again may get another answer. A host with
   * one closed address among its addresses is refused. Rejects with ForbiddenAddress, or with the resolver's error.
   */
  async dial(hostname: string): Promise<Address> {
    const host = bare(hostname);
    const objection = this.objection(host);
    if (objection !== undefined) throw new ForbiddenAddress(objection);
    const family = isIP(host);
    if (family !== 0) return { address: host, family: family === 6 ? 6 : 4 };
    const found = await this.#resolve(host);
    const closed = found.find(({ address }) => !this.permits(address));
    if (closed !== undefined) {
      throw new ForbiddenAddress(`${host} leads to ${closed.address}, which is not a public address`);
    }
    const [first] = found;
    if (first === undefined) throw new ForbiddenAddress(`${host} has no address`);
    return first;
  }
}

/** A URL writes an IPv6 address in brackets. */
const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

async function resolveHost(host: string): Promise<readonly Address[]> {
  const found = await dnsLookup(host, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}
