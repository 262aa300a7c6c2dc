// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { errorFromResponse } from '../kube/errors.ts';
import { createLogger, silentLogger } from '../telemetry/log.ts';
import { until } from '../testing/until.ts';
import { runController } from './controller.ts';
import type { ControllerOptions } from './controller.ts';
import { WorkQueue } from './workqueue.ts';

function start(reconcile: ControllerOptions['reconcile'], more: Partial<ControllerOptions> = {}) {
  const queue = new WorkQueue({ minBackoffMs: 1, maxBackoffMs: 2 });
  const stop = new AbortController();
  const options = { name: 'test', queue, reconcile, log: silentLogger, signal: stop.signal, ...more };
  return { queue, stop, done: runController(options) };
}

describe('runController', () => {
  it('repeats what fails until it works, and forgets the failures then', async () => {
    let attempts = 0;
    const { queue, stop, done } = start(async () => {
      if (++attempts < 4) throw new Error('not yet');
    });
    queue.add('a');
    await until(() => attempts === 4);
    await until(() => queue.failures('a') === 0);
    stop.abort();
    await done;
  });

  it('lets others have a turn between reconciles that wait for nothing', async () => {
    let runs = 0;
    const { queue, stop, done } = start(async () => {
      const end = performance.now() + 1;
      while (performance.now() < end);
      runs += 1;
    });
    const turn = Promise.withResolvers<number>();
    for (let i = 0; i < 1_000; i++) queue.add(`key-${i}`);
    setImmediate(() => turn.resolve(runs));
    expect(await turn.promise).toBeLessThan(1_000);
    stop.abort();
    await done;
  });

  it('comes back after the time that a reconcile asks for', async () => {
    let runs = 0;
    const { queue, stop, done } = start(async () => (++runs < 3 ? { requeueAfterMs: 1 } : undefined));
    queue.add('a');
    await until(() => runs === 3);
    stop.abort();
    await done;
  });

  it('works on several keys at a time, but never twice on one', async () => {
    const active = new Map<string, number>();
    let peak = 0;
    let runs = 0;
    const { queue, stop, done } = start(
      async (key) => {
        active.set(key, (active.get(key) ?? 0) + 1);
        expect(active.get(key)).toBe(1);
        peak = Math.max(
          peak,
          [...active.values()].reduce((a, b) => a + b, 0),
        );
        await new Promise((resolve) => setTimeout(resolve, 5));
        active.set(key, 0);
        runs++;
      },
      { workers: 3 },
    );
    for (let i = 0; i < 20; i++) {
      for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until(() => queue.length === 0 && runs >= 8);
    expect(peak).toBe(3);
    stop.abort();
    await done;
  });

  it('aborts and awaits what is running at shutdown, and leaves the rest', async () => {
    const started: string[] = [];
    let aborted = false;
    const { queue, stop, done } = start(async (key, signal) => {
      started.push(key);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted = true;
    });
    queue.add('a');
    queue.add('b');
    await until(() => started.length === 1);
    stop.abort();
    await done;
    expect([started, aborted]).toEqual([['a'], true]);
  });

  it('logs failures with their key, and lost races more quietly', async () => {
    const lines: { level: string; key: string }[] = [];
    const destination = {
      write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]),
    };
    const log = createLogger({ component: 'test', level: 'debug', destination });
    const conflict = errorFromResponse(409, { kind: 'Status', reason: 'Conflict', message: 'modified' });
    const errors = [conflict, new Error('broken')];
    const { queue, stop, done } = start(
      async () => {
        const error = errors.shift();
        if (error) throw error;
      },
      { log },
    );
    queue.add('ns/a');
    await until(() => lines.length === 2);
    expect(lines).toMatchObject([
      { level: 'debug', key: 'ns/a' },
      { level: 'error', key: 'ns/a', failures: 2 },
    ]);
    stop.abort();
    await done;
  });
});
