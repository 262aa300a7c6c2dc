// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { namesTag, tagOfContent, tagOfVersions } from './entityTag.ts';

it('differs with the content', () => {
  expect(tagOfContent('a')).toMatch(/^"[\w-]{27}"$/);
  expect(tagOfContent('a')).not.toBe(tagOfContent('b'));
  expect(tagOfVersions(['1', '23'])).not.toBe(tagOfVersions(['12', '3']));
});

it.each([
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
])('%s', (header, names) => {
  expect(namesTag(header, '"a"')).toBe(names);
  expect(namesTag(header, 'W/"a"')).toBe(names);
});
