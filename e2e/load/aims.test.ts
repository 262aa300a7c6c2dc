// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { type Aim, aimTable } from './aims.ts';
import { figure } from './stats.ts';

const figures = [
  figure('echo', [1, 1, 9], 'WebSocket'),
  figure('page', [8], 'browser'),
  figure('upload', [120], 'REST', 'MB/s'),
];
const rows = (aim: Aim): string | undefined => aimTable(figures, [aim]).split('\n')[2];

it.each<[string, Aim, string]>([
  ['met', { text: 'a', of: 'echo', value: 'p50', atMost: 1 }, '| a | 1 ms | met |'],
  [
    'missed at another percentile',
    { text: 'a', of: 'echo', value: 'p99', atMost: 1 },
    '| a | 9 ms | missed |',
  ],
  ['too little', { text: 'a', of: 'upload', value: 'p50', atLeast: 150 }, '| a | 120 MB/s | missed |'],
  [
    'over another',
    { text: 'a', of: 'page', value: 'p50', atMost: 7, over: 'echo' },
    '| a | 8 ms beside 1 ms | met |',
  ],
])('an aim is %s', (_what, aim, row) => expect(rows(aim)).toBe(row));

it('says nothing about what was not measured', () => {
  expect(rows({ text: 'a', of: 'nothing', value: 'p50', atMost: 1 })).toBeUndefined();
  expect(rows({ text: 'a', of: 'page', value: 'p50', atMost: 1, over: 'nothing' })).toBeUndefined();
});
