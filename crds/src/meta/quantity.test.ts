// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareQuantity, parseQuantity } from './quantity.ts';

describe('parseQuantity', () => {
  const cases: [string | number, bigint | undefined][] = [
    ['1', 1000n],
    [2, 2000n],
    ['500m', 500n],
    ['0.5', 500n],
    ['.5', 500n],
    ['5.', 5000n],
    ['+3', 3000n],
    ['-1', -1000n],
    ['1k', 1_000_000n],
    ['1Ki', 1_024_000n],
    ['1.5Gi', 1_610_612_736_000n],
    ['4Gi', 4_294_967_296_000n],
    ['16Ei', 18_446_744_073_709_551_616_000n],
    ['1E', 1_000_000_000_000_000_000_000n],
    ['1e3', 1_000_000n],
    ['1E3', 1_000_000n],
    ['12e-1', 1200n],
    // Below a thousandth Kubernetes rounds up, so that nothing is ever granted for free.
    ['1u', 1n],
    ['1n', 1n],
    ['1000001n', 2n],
    ['0', 0n],
    [1e21, 1_000_000_000_000_000_000_000_000n],
    ['', undefined],
    ['.', undefined],
    ['Gi', undefined],
    ['1GB', undefined],
    ['1 Gi', undefined],
    ['1KI', undefined],
    ['0x10', undefined],
    ['1e9999', undefined],
  ];
  it.each(cases)('%s', (text, expected) => {
    expect(parseQuantity(text)).toBe(expected);
  });
});

describe('compareQuantity', () => {
  it('compares across notations', () => {
    expect(compareQuantity('1Gi', '1024Mi')).toBe(0);
    expect(compareQuantity('1G', '1Gi')).toBeLessThan(0);
    expect(compareQuantity('2', '1500m')).toBeGreaterThan(0);
  });

  it('orders whole numbers as numbers', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        (a, b) => Math.sign(compareQuantity(a, String(b))) === Math.sign(a - b),
      ),
    );
  });

  it('throws for what is no quantity', () => {
    expect(() => compareQuantity('1', 'many')).toThrow('not a quantity: many');
  });
});
