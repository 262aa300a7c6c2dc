// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, equalJson } from './canonical.ts';
import { sha256Hex } from './hash.ts';

const reference = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('sha256Hex', () => {
  it('gives the digest of FIPS 180-4', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  // Around the block border the padding needs one block more.
  it.each([0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 1000])('of %d bytes', (length) => {
    const text = 'x'.repeat(length);
    expect(sha256Hex(text)).toBe(reference(text));
  });

  it('of any text, also with characters of two to four bytes and halves of a pair', () => {
    const text = fc.array(fc.constantFrom('a', 'é', '€', '😀', '\ud800')).map((parts) => parts.join(''));
    fc.assert(fc.property(text, (value) => sha256Hex(value) === reference(value)));
  });
});

describe('canonicalJson', () => {
  it('sorts keys at every depth and leaves undefined out', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 'x' }], a: undefined, A: null })).toBe(
      '{"A":null,"b":[{"c":"x","d":1}]}',
    );
  });

  it('is JSON of the same value, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        expect(equalJson(value, reversed)).toBe(true);
        expect(equalJson(JSON.parse(canonicalJson(value)), value)).toBe(true);
      }),
    );
  });
});
