// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { contains, isPrivate, parseCidr, type Cidr } from './cidr.ts';

function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`${text} is no range`);
  return parsed;
}

describe('parseCidr', () => {
  it.each([
    ['10.0.0.0/8', { width: 32, prefix: 8, bits: 0x0a_00_00_00n }],
    ['10.1.2.3/8', { width: 32, prefix: 8, bits: 0x0a_00_00_00n }],
    ['0.0.0.0/0', { width: 32, prefix: 0, bits: 0n }],
    ['::/0', { width: 128, prefix: 0, bits: 0n }],
    ['::1/128', { width: 128, prefix: 128, bits: 1n }],
    ['2001:db8::/32', { width: 128, prefix: 32, bits: 0x2001_0db8n << 96n }],
    ['1:2:3:4:5:6:7:8/128', { width: 128, prefix: 128, bits: 0x0001_0002_0003_0004_0005_0006_0007_0008n }],
    ['::ffff:1.2.3.4/128', { width: 128, prefix: 128, bits: 0xffff_0102_0304n }],
  ])('%s', (text, expected) => {
    expect(parseCidr(text)).toEqual(expected);
  });

  it.each([
    '',
    '10.0.0.0',
    '10.0.0/8',
    '10.0.0.256/8',
    '010.0.0.0/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/9',
    '1:2:3/64',
    '1::2::3/64',
    '1:2:3:4:5:6:7:8:9/64',
    '1:2:3:4:5:6:7::8/129',
    '12345::/16',
    'g::/16',
    '::1.2.3/128',
  ])('refuses "%s"', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });
});

describe('contains', () => {
  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/8', '10.0.0.0/8', true],
    ['10.0.0.0/8', '11.0.0.0/16', false],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['0.0.0.0/0', '8.8.8.8/32', true],
    ['::/0', '10.0.0.0/8', false],
  ])('%s and %s: %s', (outer, inner, expected) => {
    expect(contains(cidr(outer), cidr(inner))).toBe(expected);
  });
});

describe('isPrivate', () => {
  it.each(['10.0.0.0/8', '10.1.2.3/32', '172.31.0.0/16', '169.254.169.254/32', 'fd00::/8', '::1/128'])(
    '%s',
    (text) => {
      expect(isPrivate(cidr(text))).toBe(true);
    },
  );
  it.each(['0.0.0.0/0', '8.8.8.8/32', '172.32.0.0/16', '10.0.0.0/7', '::/0', '2001:db8::/32'])(
    'not %s',
    (text) => {
      expect(isPrivate(cidr(text))).toBe(false);
    },
  );
});
