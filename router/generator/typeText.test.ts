// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { typeText } from './typeText.ts';
import type { Schema } from './document.ts';

const CASES: readonly (readonly [Schema, string])[] = [
  [{ type: 'integer' }, 'number'],
  [{}, 'unknown'],
  [{ $ref: '#/components/schemas/Thing' }, 'Thing'],
  [{ enum: ['a', "b'c", 1] }, "'a' | 'b\\'c' | 1"],
  [{ type: ['string', 'null'] }, 'string | null'],
  [{ type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } }, 'readonly (string | null)[]'],
  [{ type: 'object', additionalProperties: { type: 'number' } }, 'Readonly<Record<string, number>>'],
  [
    { type: 'object', required: ['a'], properties: { a: { type: 'string' }, 'b-c': { type: 'boolean' } } },
    "{\n  readonly a: string;\n  readonly 'b-c'?: boolean;\n}",
  ],
];

it.each(CASES)('%j', (schema, text) => {
  expect(typeText(schema)).toBe(text);
});
