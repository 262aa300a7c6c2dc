// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { Ring } from './ring.ts';

it('gives what came after a number, as long as it has it', () => {
  const ring = new Ring<number>(3);
  expect(ring.after(0)).toEqual([]);
  expect(ring.after(1)).toBeUndefined();
  for (let item = 1; item <= 100; item++) {
    expect(ring.push(item).number).toBe(item);
    const since = (number: number) => ring.after(number)?.map(({ item }) => item);
    expect(since(item)).toEqual([]);
    expect(since(item - 1)).toEqual([item]);
    if (item >= 3) expect(since(item - 3)).toEqual([item - 2, item - 1, item]);
    if (item >= 4) expect(since(item - 4)).toBeUndefined();
    expect(since(item + 1)).toBeUndefined();
  }
});
