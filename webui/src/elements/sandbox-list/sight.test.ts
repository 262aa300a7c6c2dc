// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { Sight } from './sight.ts';

it('draws the first, and what is in sight', () => {
  const sight = new Sight();
  expect([sight.draws('a', 0), sight.draws('z', 900)]).toEqual([true, false]);
  expect([sight.enter('z'), sight.draws('z', 900), sight.enter('z')]).toEqual([true, true, false]);
});

it('keeps the last two hundred that were in sight, and what is in sight whatever its age', () => {
  const sight = new Sight();
  const keys = Array.from({ length: 500 }, (_, at) => `box-${at}`);
  for (const key of keys) sight.enter(key);
  for (const key of keys.slice(1)) sight.leave(key);
  const drawn = keys.filter((key) => sight.draws(key, 900));
  expect(drawn).toEqual(['box-0', ...keys.slice(300)]);
  // It comes back, and is not among those that left any more.
  sight.enter('box-300');
  sight.enter('more');
  sight.leave('more');
  expect([sight.draws('box-300', 900), sight.draws('box-301', 900)]).toEqual([true, true]);
});
