// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { editDistance, nearNames } from './nearNames.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['python', 'python', 0],
    ['pyhton', 'python', 1],
    ['pythn', 'python', 1],
    ['kitten', 'sitting', 3],
  ])('%s to %s is %i', (a, b, expected) => {
    expect(editDistance(a, b)).toBe(expected);
    expect(editDistance(b, a)).toBe(expected);
  });
});

describe('nearNames', () => {
  const existing = ['python', 'python-gpu', 'node', 'minimal-shell', 'rl-rollout'];
  it.each([
    ['pyhton', ['python']],
    ['minimal', ['minimal-shell']],
    ['python-gp', ['python', 'python-gpu']],
    ['nod', ['node']],
    ['completely-different', []],
  ])('%s suggests %j', (wanted, expected) => {
    expect(nearNames(wanted, existing)).toEqual(expected);
  });

  it('suggests five at most and each once', () => {
    const many = Array.from({ length: 20 }, (_, i) => `base-${i % 10}`);
    expect(nearNames('base-x', many)).toHaveLength(5);
  });
});
