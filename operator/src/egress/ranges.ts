// SPDX-License-Identifier: Apache-2.0

/** Not the internet: private (RFC 1918, RFC 4193), shared (RFC 6598), link-local, loopback, and NAT64 ways around. */
export const NOT_INTERNET: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '168.63.129.16/32',
  '::1/128',
  '64:ff9b::/96',
  'fc00::/7',
  'fe80::/10',
];
