// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { NO_RETRIES, waitBefore } from './retry.ts';

const rules = { ...NO_RETRIES, most: 3 };
const wait = (attempt: Partial<Parameters<typeof waitBefore>[0]>, given = rules) =>
  waitBefore({ method: 'GET', tries: 1, status: 503, ...attempt }, given, () => 1);

it('doubles, up to the longest', () => {
  expect([1, 2, 3, 4].map((tries) => wait({ tries }))).toEqual([312.5, 625, 1250, undefined]);
  expect(wait({ tries: 3 }, { ...rules, longestMs: 1000 })).toBe(1000);
});

it('waits as long as the server asks, up to the longest', () => {
  expect(wait({ retryAfter: 2 })).toBe(2000);
  expect(wait({ retryAfter: 3600 })).toBe(8000);
});

it('sends no PATCH twice, and a POST only when allowed', () => {
  expect(wait({ method: 'PATCH' }, { ...rules, post: true })).toBeUndefined();
  expect(wait({ method: 'POST' })).toBeUndefined();
  expect(wait({ method: 'POST' }, { ...rules, post: true })).toBeGreaterThan(0);
});

it('repeats what had no answer, but no refusal', () => {
  const { status: _, ...none } = { method: 'PUT', tries: 1, status: 0 };
  expect(waitBefore(none, rules)).toBeGreaterThan(0);
  for (const status of [400, 401, 403, 404, 409, 412, 422, 501]) expect(wait({ status })).toBeUndefined();
});
