// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WorkQueue } from './workqueue.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Takes what is ready now. */
async function taken(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.length > 0) keys.push((await queue.get()) ?? '');
  return keys;
}

describe('WorkQueue', () => {
  it('hands a key out once, in order of arrival', async () => {
    const queue = new WorkQueue();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(await taken(queue)).toEqual(['a', 'b', 'c']);
  });

  it('never hands a key to two workers, and brings it back when it was added meanwhile', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    expect(await queue.get()).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done('a');
    expect(await taken(queue)).toEqual(['a']);
    queue.done('a');
    expect(queue.length).toBe(0);
  });

  it('gives a waiting worker the next key', async () => {
    const queue = new WorkQueue();
    const waiting = [queue.get(), queue.get()];
    queue.add('a');
    queue.add('b');
    expect(await Promise.all(waiting)).toEqual(['a', 'b']);
  });

  it('lets urgent keys pass, and promotes one that was waiting', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.add('b');
    queue.add('b', 'urgent');
    queue.add('c', 'urgent');
    queue.add('c');
    expect(await taken(queue)).toEqual(['b', 'c', 'a']);
  });

  it('lets everything pass what waits in the background, and promotes from there', async () => {
    const queue = new WorkQueue();
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key, 'background');
    queue.add('c');
    queue.add('e');
    queue.add('e', 'background');
    queue.add('d', 'urgent');
    expect(queue.length).toBe(5);
    expect(await taken(queue)).toEqual(['d', 'c', 'e', 'a', 'b']);
  });

  it('adds after a time, the earliest of several', async () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 100);
    queue.addAfter('a', 5000);
    vi.advanceTimersByTime(99);
    expect(queue.length).toBe(0);
    vi.advanceTimersByTime(1);
    expect(await taken(queue)).toEqual(['a']);
    queue.done('a');
    vi.advanceTimersByTime(10_000);
    expect(queue.length).toBe(0);
  });

  it('does not fire at once for delays beyond what a timer can hold', () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 60 * 86_400_000);
    vi.advanceTimersByTime(1000);
    expect(queue.length).toBe(0);
  });

  it('backs off per key from 5 ms to 16 minutes until forgotten', () => {
    const queue = new WorkQueue();
    const delays: number[] = [];
    vi.spyOn(queue, 'addAfter').mockImplementation((_key, ms) => void delays.push(ms));
    for (let i = 0; i < 20; i++) queue.addRateLimited('a');
    expect(delays.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(delays.at(-1)).toBe(16 * 60_000);
    expect(queue.failures('a')).toBe(20);
    queue.addRateLimited('b');
    queue.forget('a');
    queue.addRateLimited('a');
    expect(delays.slice(-2)).toEqual([5, 5]);
  });

  it('spreads delays when told to', () => {
    const queue = new WorkQueue({ minBackoffMs: 100, maxBackoffMs: 200, jitter: 0.5, random: () => 1 });
    const delays: number[] = [];
    vi.spyOn(queue, 'addAfter').mockImplementation((_key, ms) => void delays.push(ms));
    for (let i = 0; i < 3; i++) queue.addRateLimited('a');
    expect(delays).toEqual([150, 300, 300]);
  });

  it('drains at shutdown: what is ready is still handed out, nothing new is taken', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.add('b');
    queue.addAfter('later', 10);
    const first = await queue.get();
    queue.shutDown();
    queue.add('c');
    queue.add('a');
    vi.advanceTimersByTime(100);
    let drained = false;
    const done = queue.drained().then(() => {
      drained = true;
    });
    expect([first, await queue.get(), await queue.get()]).toEqual(['a', 'b', undefined]);
    queue.done('a');
    await Promise.resolve();
    expect(drained).toBe(false);
    queue.done('b');
    await done;
    expect(drained).toBe(true);
  });

  it('wakes waiting workers at shutdown', async () => {
    const queue = new WorkQueue();
    const waiting = queue.get();
    queue.shutDown();
    expect(await waiting).toBeUndefined();
  });
});
