// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { take } from '../ratelimit/bucket.ts';
import type { BucketState } from '../ratelimit/bucket.ts';
import { isSilent, pongWaitMs } from '../terminal/heartbeat.ts';
import { cleanedPath } from './cleanPath.ts';
import { requestIdFrom } from './requestId.ts';

describe('cleanedPath', () => {
  const rows: [path: string, clean: string][] = [
    ['/', '/'],
    ['//api//v1', '/api/v1'],
    ['/api/../api/v1/./x', '/api/v1/x'],
    ['/../../etc', '/etc'],
    ['/api/v1/%2e%2e/x', '/api/v1/%2e%2e/x'],
  ];
  it.each(rows)('%s', (path, clean) => {
    expect(cleanedPath(path)).toBe(clean);
  });
});

describe('requestIdFrom', () => {
  it('keeps what is short and printable', () => {
    expect(requestIdFrom('00-4bf92f3577b34da6-00f067aa:1/2=')).toBe('00-4bf92f3577b34da6-00f067aa:1/2=');
    for (const bad of [undefined, '', 'a\u00e4', 'x'.repeat(129), '{"a":1}']) {
      expect(requestIdFrom(bad)).toMatch(/^[0-9a-f]{16}$/);
    }
  });
});

describe('take', () => {
  it('allows a burst, then the rate, and never saves up more than the burst', () => {
    const limits = { perSecond: 2, burst: 3 };
    let state: BucketState | undefined;
    const allowed = (now: number): boolean => {
      const turn = take(state, now, limits);
      state = turn.state;
      return turn.allowed;
    };
    expect([0, 0, 0, 0].map(allowed)).toEqual([true, true, true, false]);
    expect([400, 500, 501].map(allowed)).toEqual([false, true, false]);
    expect([100_000, 100_000, 100_000, 100_000].map(allowed)).toEqual([true, true, true, false]);
    expect(allowed(99_000)).toBe(false); // a clock that went back gives nothing
  });
});

describe('isSilent', () => {
  it('gives a peer two pings and a little', () => {
    expect(pongWaitMs(30_000)).toBe(70_000);
    expect(isSilent(0, 70_000, 30_000)).toBe(false);
    expect(isSilent(0, 70_001, 30_000)).toBe(true);
  });
});
