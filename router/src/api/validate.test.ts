// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import type { HttpError } from './errors.ts';
import { checkedBody, checkQuery } from './validate.ts';

const schema = Type.Object({
  name: Type.String(),
  count: Type.Optional(Type.Integer({ minimum: 1 })),
  until: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  items: Type.Optional(Type.Array(Type.Object({ id: Type.String() }))),
  command: Type.Optional(
    Type.Union([Type.String(), Type.Array(Type.String())], { description: 'a line or a list' }),
  ),
});

function problemsIn(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return (error as HttpError).body.violations?.map(({ field, message }) => `${field}: ${message}`);
  }
  return undefined;
}

describe('a checked body', () => {
  it('passes what fits, with members that nobody knows', () => {
    const body = { name: 'a', count: 2, stranger: true };
    expect(checkedBody(schema, body)).toEqual(body);
  });

  it('takes null for absent, except where null has a meaning', () => {
    expect(checkedBody(schema, { name: 'a', count: null, until: null })).toEqual({ name: 'a', until: null });
  });

  const rows: [name: string, body: unknown, problems: string[]][] = [
    ['nothing', undefined, [': must be an object']],
    ['a list', [], [': must be an object']],
    [
      'every problem at once',
      { count: 0, items: [{}] },
      ['name: is required', 'count: must be >= 1', 'items[0].id: is required'],
    ],
    ['a branch of no union', { name: 'a', command: [1] }, ['command: must be a line or a list']],
    ['another kind of value', { name: 1 }, ['name: must be a string']],
  ];
  it.each(rows)('names the fields of %s', (_name, body, problems) => {
    expect(problemsIn(() => checkedBody(schema, body))).toEqual(problems);
  });
});

describe('a checked query', () => {
  const query = Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 })) });

  it('reads numbers as numbers and ignores strangers', () => {
    expect(problemsIn(() => checkQuery(query, new URLSearchParams('limit=5&x=y')))).toBeUndefined();
  });

  it.each([
    ['limit=many', ['limit: must be a whole number']],
    ['limit=11', ['limit: must be <= 10']],
  ])('refuses %s', (text, problems) => {
    expect(problemsIn(() => checkQuery(query, new URLSearchParams(text)))).toEqual(problems);
  });
});
