// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { chosen, MEASUREMENTS } from './measurements.ts';

const names = (only: string | undefined, restOnly = false): string[] =>
  chosen(only, restOnly).map(({ name }) => name);

it('takes all measurements, or those that are named, in their own order', () => {
  expect(names(undefined)).toEqual(MEASUREMENTS.map(({ name }) => name));
  expect(names('files,echo')).toEqual(['echo', 'files']);
});

it('asks for no cluster where there is only a router', () => {
  expect(names('files,echo', true)).toEqual(['echo']);
});

it('says which names there are when it does not know one', () => {
  expect(() => names('echo,nothing')).toThrow(/--only knows lifecycle, .*; it does not know nothing/);
});
