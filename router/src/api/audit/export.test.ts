// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { rowOf } from '../../auditStore/row.ts';
import { lineOf } from './export.ts';

describe('a line of a table', () => {
  it.each([
    ['=HYPERLINK("http://evil.example")', `"'=HYPERLINK(""http://evil.example"")"`],
    ['+1', "'+1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['-2', "'-2"],
    ['a, b', '"a, b"'],
    ['two\nlines', '"two\nlines"'],
    ['plain', 'plain'],
  ])('holds %s as text', (name, cell) => {
    const entry = {
      actor: { sub: 'ann' },
      action: 'X',
      resource: 'Sandbox',
      outcome: 'allowed',
      name,
    } as const;
    expect(lineOf(rowOf(entry, undefined, 0), 'csv')).toContain(`,${cell},`);
  });
});
