// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { selects, type LabelSelector } from './selector.ts';

const labels = { team: 'a', tier: 'gold' };

it.each<[LabelSelector, boolean]>([
  [{}, true],
  [{ matchLabels: { team: 'a' } }, true],
  [{ matchLabels: { team: 'a', tier: 'iron' } }, false],
  [{ matchLabels: { absent: '' } }, false],
  [{ matchExpressions: [{ key: 'team', operator: 'In', values: ['b', 'a'] }] }, true],
  [{ matchExpressions: [{ key: 'absent', operator: 'In', values: ['a'] }] }, false],
  [{ matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] }, false],
  [{ matchExpressions: [{ key: 'absent', operator: 'NotIn', values: ['a'] }] }, true],
  [{ matchExpressions: [{ key: 'team', operator: 'Exists' }] }, true],
  [{ matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, false],
  [{ matchLabels: { team: 'a' }, matchExpressions: [{ key: 'x', operator: 'Exists' }] }, false],
])('%j: %s', (selector, expected) => {
  expect(selects(selector, labels)).toBe(expected);
});
