// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs/regressions.md'), 'utf8');

interface Named {
  readonly id: string;
  readonly file: string;
  readonly title: string;
}

/** Rows are `| id | fault | tests |`; each test is a path in backquotes and a title in italics. */
const rows = PAGE.split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Id '))
  .map((line) => line.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, '')));

const named = rows.flatMap(([id = '', , tests = '']) =>
  tests.split('<br>').map((test): Named => {
    const [, file = '', title = ''] = /^`([^`]+)`: _(.+)_$/.exec(test) ?? [];
    return { id, file, title };
  }),
);

/** Whether the source has a test of that title; one in Go is a function. */
function has(source: string, { file, title }: Named): boolean {
  if (file.endsWith('.go')) return source.includes(`func ${title}(t *testing.T)`);
  const quoted = ["'", '"', '`'].map((quote) => `(${quote}${title.replaceAll(quote, `\\${quote}`)}${quote},`);
  const flat = source.replaceAll(/\(\s+/g, '(');
  return quoted.some((call) => flat.includes(call));
}

describe('the page of regressions', () => {
  it('has three cells in each row, and an id once', () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((cells) => cells.length !== 3 || cells.includes(''))).toEqual([]);
    const ids = rows.flatMap(([id = '']) => id.split(', '));
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  it.each(named.map((one) => [one.id, one.file, one.title, one] as const))(
    '%s: %s still has: %s',
    (_id, file, _title, one) => {
      expect(file !== '' && existsSync(join(ROOT, file)), 'the file is there').toBe(true);
      expect(has(readFileSync(join(ROOT, file), 'utf8'), one), 'the test is there').toBe(true);
    },
  );
});
