// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { bytesText, coresText, moneyText, percentText, shareOf, tookText } from './numbers.ts';

it.each([
  [bytesText(0, 'en'), '0 B'],
  [bytesText(1023, 'en'), '1,023 B'],
  [bytesText(1.5 * 1024 ** 3, 'en'), '1.5 GiB'],
  [bytesText(1.5 * 1024 ** 3, 'de'), '1,5 GiB'],
  [coresText(250, 'en'), '0.25'],
  [percentText(0.424, 'en'), '42 %'],
  [tookText(0, 'en'), '0 ms'],
  [tookText(999, 'en'), '999 ms'],
  [tookText(1240, 'en'), '1.2 s'],
  [tookText(75_400, 'en'), '75 s'],
  [moneyText(12.345, 'USD', 'en'), '$12.35'],
  [moneyText(0.0042, 'USD', 'en'), '$0.0042'],
  [moneyText(3, 'credits', 'en'), '3.00 credits'],
  [moneyText(3, '', 'en'), '3.00'],
])('%s is %s', (shown, wanted) => {
  expect(shown).toBe(wanted);
});

it.each([
  [1, 4, 0.25],
  [5, 4, 1],
  [-1, 4, 0],
  [1, 0, 0],
])('%d of %d is the part %d', (value, whole, share) => {
  expect(shareOf(value, whole)).toBe(share);
});
