// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { FloodMeter } from './output.ts';

it('finds the end of a flood in two pieces, and counts the bytes from the first to it', () => {
  const meter = new FloodMeter();
  meter.take(Buffer.alloc(500_000, 'x'), 1_000);
  meter.take(Buffer.from('xxxx\nend-of-'), 1_005);
  expect(meter.done).toBe(false);
  meter.take(Buffer.from('flood\r\n'), 1_010);
  meter.take(Buffer.from('not counted'), 9_000);
  expect([meter.done, meter.bytes]).toEqual([true, 500_000 + 12 + 7]);
  expect(meter.megabytesPerSecond).toBeCloseTo(50, 1);
});
