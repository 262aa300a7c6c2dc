// SPDX-License-Identifier: Apache-2.0
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { until } from '@agenttier/machinery/testing/until';
import { describe, expect, it } from 'vitest';
import { AuditQueue } from './queue.ts';
import type { AuditQueueOptions } from './queue.ts';
import { rowOf } from './row.ts';
import type { AuditRow } from './row.ts';

const rowAt = (n: number): AuditRow =>
  rowOf({ actor: { sub: 'ann' }, action: 'ExecRun', resource: 'Sandbox', outcome: 'allowed' }, undefined, n);
/** Time passes at once. */
const clock = {
  now: () => 0,
  monotonic: () => 0,
  sleep: () => new Promise<void>((resolve) => void setImmediate(resolve)),
};

function setUp(options: Partial<AuditQueueOptions> = {}) {
  const kept: AuditRow[] = [];
  const batches: number[] = [];
  let dropped = 0;
  let away = false;
  const append = async (rows: readonly AuditRow[]): Promise<void> => {
    if (away) throw new Error('away');
    batches.push(rows.length);
    kept.push(...rows);
  };
  const queue = new AuditQueue({
    store: { append },
    log: silentLogger,
    dropped: (count) => (dropped += count),
    clock,
    ...options,
  });
  return { queue, kept, batches, dropped: () => dropped, setAway: (is: boolean) => (away = is) };
}

describe('the queue of audit rows', () => {
  it('writes in batches, in order, and never while somebody waits', async () => {
    const { queue, kept, batches } = setUp();
    const rows = Array.from({ length: 1200 }, (_, n) => rowAt(n));
    for (const row of rows) queue.add(row);
    expect(kept).toEqual([]);
    await until(() => kept.length === 1200, 'the rows to be kept');
    expect(kept).toEqual(rows);
    expect(batches).toEqual([500, 500, 200]);
    queue.add(rowAt(9));
    await until(() => kept.length === 1201, 'a row that came later');
  });

  it('keeps rows while the store is away', async () => {
    const { queue, kept, setAway, dropped } = setUp();
    setAway(true);
    for (let n = 0; n < 3; n++) queue.add(rowAt(n));
    await new Promise(setImmediate);
    setAway(false);
    await until(() => kept.length === 3, 'the rows to be kept');
    expect(dropped()).toBe(0);
  });

  it('drops what is too much, and counts it', async () => {
    const { queue, kept, setAway, dropped } = setUp({ most: 10 });
    setAway(true);
    for (let n = 0; n < 15; n++) queue.add(rowAt(n));
    expect(dropped()).toBe(5);
    setAway(false);
    await queue.close();
    expect(kept.map(({ at }) => at)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('writes what waits at its end, and ends also without a store', async () => {
    const good = setUp();
    good.queue.add(rowAt(1));
    await good.queue.close();
    expect(good.kept).toHaveLength(1);
    good.queue.add(rowAt(2));
    expect(good.dropped()).toBe(1);
    const bad = setUp();
    bad.setAway(true);
    bad.queue.add(rowAt(1));
    await bad.queue.close();
    expect(bad.dropped()).toBe(1);
  });
});
