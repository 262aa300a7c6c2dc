// SPDX-License-Identifier: Apache-2.0
import { contains, METADATA_SERVICES, parseCidr } from '@agenttier/crds/meta/cidr';
import type { Cidr } from '@agenttier/crds/meta/cidr';

/** Of IPv4 everything that is not the public internet (IANA special-purpose registry, multicast, reserved). */
const CLOSED_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/** All of IPv6 that is handed out lies here; within it, documentation and the wrappings of IPv4 stay closed. */
const OPEN_V6 = '2000::/3';
const CLOSED_V6 = ['2001::/32', '2001:db8::/32', '2002::/16'];

export interface AddressRules {
  /** Ranges of the cluster, closed although they may be public addresses. */
  readonly clusterCidrs: readonly string[];
  /** Private ranges that names may resolve to all the same. Metadata services stay closed. */
  readonly allowedPrivateCidrs: readonly string[];
}

const ranges = (texts: readonly string[]): Cidr[] => texts.flatMap((text) => parseCidr(text) ?? []);

/** Whether an address that a name resolved to may be dialled. */
export function addressFilter(rules: AddressRules): (address: string) => boolean {
  const metadata = ranges(METADATA_SERVICES);
  const excepted = ranges(rules.allowedPrivateCidrs);
  const closed = ranges([...CLOSED_V4, ...CLOSED_V6, ...rules.clusterCidrs]);
  const openV6 = ranges([OPEN_V6]);
  return (address) => {
    const one = parseCidr(`${address}/${address.includes(':') ? 128 : 32}`);
    if (one === undefined) return false;
    const within = (list: readonly Cidr[]): boolean => list.some((range) => contains(range, one));
    if (within(metadata)) return false;
    if (within(excepted)) return true;
    return !within(closed) && (one.width === 32 || within(openV6));
  };
}
