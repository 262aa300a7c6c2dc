// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openLoop } from './openLoop.ts';

it('counts a stall against every call that was due in it', async () => {
  const { latencies } = await openLoop(100, 10, async (index) => {
    if (index !== 0) return;
    const until = performance.now() + 60;
    while (performance.now() < until); // the whole process stands still
  });
  // Due at 10, 20, 30, 40 ms, and not begun before 60 ms.
  const floors = [60, 50, 40, 30, 20];
  for (const [index, floor] of floors.entries()) expect(latencies[index]).toBeGreaterThanOrEqual(floor - 1);
});

it('begins calls without waiting for answers, and keeps failures apart', async () => {
  let open = 0;
  let most = 0;
  const { latencies, failures, rate } = await openLoop(200, 20, async (index) => {
    open += 1;
    most = Math.max(most, open);
    await pause(50);
    open -= 1;
    if (index % 2 === 1) throw new Error('no');
  });
  expect(most).toBeGreaterThan(3);
  expect(latencies).toHaveLength(10);
  expect(failures).toHaveLength(10);
  expect(rate).toBeLessThanOrEqual(205);
});
