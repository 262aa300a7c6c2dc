// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { eachOver, spread } from './idleTerminals.ts';

it('spreads terminals over sandboxes, none with more than fifty', () => {
  expect(spread(1000)).toEqual(Array(20).fill(50));
  expect(spread(101)).toEqual([50, 50, 1]);
});

it('counts what each takes over the base, in kilobytes', () =>
  expect(eachOver(110_000_000, 160_000_000, 1000)).toBe(50));
