// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { deriveToken } from './derive.ts';

describe('deriveToken', () => {
  const key = Buffer.alloc(32, 7);

  it('is HMAC-SHA256: RFC 4231, case 2', () => {
    const expected = Buffer.from('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843', 'hex');
    expect(deriveToken(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(
      expected.toString('base64url'),
    );
  });

  it('is the same for everybody who holds the key, and differs by subject and by key', () => {
    expect(deriveToken(key, 'a')).toBe(deriveToken(Buffer.alloc(32, 7), 'a'));
    expect(deriveToken(key, 'a')).not.toBe(deriveToken(key, 'b'));
    expect(deriveToken(key, 'a')).not.toBe(deriveToken(Buffer.alloc(32, 8), 'a'));
  });
});
