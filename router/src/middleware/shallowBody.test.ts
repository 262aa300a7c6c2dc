// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { isDeeper } from './shallowBody.ts';

it.each([
  ['a scalar', 1, false],
  ['nothing', undefined, false],
  ['as many levels as may be', { a: [{ b: 1 }] }, false],
  ['one more', { a: [{ b: [1] }] }, true],
  ['one more behind null', [null, { a: { b: { c: null } } }], true],
])('%s', (_name, value, deeper) => {
  expect(isDeeper(value, 3)).toBe(deeper);
});
