// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { figure, percentile, rate, table } from './stats.ts';

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  it.each([
    [50, 50],
    [99, 99],
    [100, 100],
    [0, 1],
  ])('p%i of 1..100 is %i', (p, value) => expect(percentile(hundred, p)).toBe(value));
  it('refuses an empty list', () => expect(() => percentile([], 50)).toThrow('percentile of nothing'));
});

it('prints a row for each figure', () => {
  expect(table([figure('stop', [3, 1, 2], 'REST')])).toContain('| stop | 2 ms | 3 ms | 1–3 | 3 | REST |');
});

it('counts a megabyte as a million bytes', () => expect(rate(200_000_000, 4_000)).toBe(50));
