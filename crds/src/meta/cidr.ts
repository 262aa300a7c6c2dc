// SPDX-License-Identifier: Apache-2.0

/** An address range: `bits` is the address as a number of `width` bits, of which `prefix` count. */
export interface Cidr {
  readonly width: 32 | 128;
  readonly bits: bigint;
  readonly prefix: number;
}

/** Parses IPv4 and IPv6 ranges; undefined when the text is none. Bits beyond the prefix are dropped. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length = '', ...more] = text.split('/');
  if (more.length > 0 || !/^[0-9]{1,3}$/.test(length)) return undefined;
  const width = address.includes(':') ? 128 : 32;
  const prefix = Number(length);
  const bits = width === 32 ? parseIpv4(address) : parseIpv6(address);
  if (bits === undefined || prefix > width) return undefined;
  const host = BigInt(width - prefix);
  return { width, prefix, bits: (bits >> host) << host };
}

/** Whether every address of `inner` is one of `outer`. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  if (outer.width !== inner.width || inner.prefix < outer.prefix) return false;
  const host = BigInt(outer.width - outer.prefix);
  return inner.bits >> host === outer.bits >> host;
}

/** Ranges that do not belong to the public internet (RFC 1918, 6598, 3927, 1122, 4193, 4291). */
export const PRIVATE_RANGES: readonly string[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
];

/**
 * Where clouds hand out the credentials of a machine: AWS, Azure, GCP and others at 169.254.169.254, ECS task roles, EKS
 * pod identity, Alibaba, the Azure wire server, and the IPv6 forms. No network rule ever opens these, however wide its range.
 */
export const METADATA_SERVICES: readonly string[] = [
  '169.254.169.254/32',
  '169.254.170.2/32',
  '169.254.170.23/32',
  '100.100.100.200/32',
  '168.63.129.16/32',
  'fd00:ec2::254/128',
  'fd00:ec2::23/128',
  'fd20:ce::254/128',
];

/** Whether the range has an address of a metadata service in it. */
export function coversMetadata(cidr: Cidr): boolean {
  return METADATA_SERVICES.some((text) => {
    const service = parseCidr(text);
    return service !== undefined && contains(cidr, service);
  });
}

/** Whether no address of the range is public. */
export function isPrivate(cidr: Cidr): boolean {
  return PRIVATE_RANGES.some((text) => {
    const range = parseCidr(text);
    return range !== undefined && contains(range, cidr);
  });
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)
  ) {
    return undefined;
  }
  return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

/** RFC 4291 section 2.2: eight groups, one run of zeros as `::`, the last two groups also as an IPv4 address. */
function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => groupsOf(half));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...(tail ?? [])];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

function groupsOf(half: string): number[] | undefined {
  if (half === '') return [];
  const parts = half.split(':');
  const last = parts.at(-1) ?? '';
  const embedded = last.includes('.') ? parseIpv4(last) : undefined;
  if (last.includes('.') && embedded === undefined) return undefined;
  const hex = embedded === undefined ? parts : parts.slice(0, -1);
  if (!hex.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined;
  const groups = hex.map((part) => Number.parseInt(part, 16));
  return embedded === undefined ? groups : [...groups, Number(embedded >> 16n), Number(embedded & 0xffffn)];
}
