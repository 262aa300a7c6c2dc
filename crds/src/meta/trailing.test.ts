// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { withoutTrailing } from './trailing.ts';

it.each([
  ['', ''],
  ['/', ''],
  ['a', 'a'],
  ['/a//', '/a'],
])('%j is %j', (text, trimmed) => {
  expect(withoutTrailing(text, '/')).toBe(trimmed);
});

it('is done with a million of them that are not at the end', () => {
  const text = `${'/'.repeat(1_000_000)}a`;
  expect(withoutTrailing(text, '/')).toBe(text);
});
