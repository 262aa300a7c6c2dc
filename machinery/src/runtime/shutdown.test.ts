// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { rootSignal } from './shutdown.ts';

describe('rootSignal', () => {
  it.each(['SIGTERM', 'SIGINT'])('aborts at %s', (name) => {
    const source = new EventEmitter();
    const signal = rootSignal(source, () => undefined);
    expect(signal.aborted).toBe(false);
    source.emit(name);
    expect(signal.reason).toMatchObject({ name: 'AbortError', message: `received ${name}` });
  });

  it('ends at a second SIGINT, not at a second SIGTERM', () => {
    const source = new EventEmitter();
    const codes: number[] = [];
    rootSignal(source, (code) => codes.push(code));
    for (const name of ['SIGTERM', 'SIGTERM', 'SIGINT']) source.emit(name);
    expect(codes).toEqual([130]);
  });
});

describe('systemClock', () => {
  it('sleeps, and wakes with the reason of an abort', async () => {
    await systemClock.sleep(1);
    const stop = new AbortController();
    const sleeping = systemClock.sleep(60_000, stop.signal);
    const reason = new Error('stop');
    stop.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(systemClock.sleep(1, stop.signal)).rejects.toBe(reason);
  });
});
