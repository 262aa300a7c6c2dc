// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { byKey, pageOf } from './page.ts';

const own = (name: string): string => name;
const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort(byKey(own));

/** Reads all pages; `between` changes the list before each further one. */
function readAll(list: readonly string[], limit: number, between: (list: readonly string[]) => string[]) {
  const seen: string[] = [];
  let current = list;
  let next: string | undefined;
  do {
    const query = new URLSearchParams({ limit: String(limit), ...(next && { continue: next }) });
    const page = pageOf(current, query, own);
    seen.push(...page.items);
    next = page.continue;
    current = between(current);
  } while (next !== undefined);
  return seen;
}

it('shows every item exactly once, whatever comes and goes meanwhile', () => {
  const names = fc.array(fc.string());
  fc.assert(
    fc.property(names, names, names, fc.integer({ min: 1, max: 5 }), (kept, going, coming, limit) => {
      const stays = sorted(kept.filter((name) => !going.includes(name) && !coming.includes(name)));
      const seen = readAll(sorted([...stays, ...going]), limit, () => sorted([...stays, ...coming]));
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((name) => stays.includes(name))).toEqual(stays);
    }),
  );
});

it('gives the whole list without a limit, and no cursor with the last page', () => {
  expect(pageOf(['a', 'b'], new URLSearchParams(), own)).toEqual({ items: ['a', 'b'] });
  expect(pageOf(['a', 'b'], new URLSearchParams({ limit: '2' }), own)).toEqual({ items: ['a', 'b'] });
});

it('refuses a cursor that is none of ours', () => {
  const query = new URLSearchParams({ continue: 'nonsense' });
  expect(() => pageOf(['a'], query, own)).toThrow('continue is not one');
});
