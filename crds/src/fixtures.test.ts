// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isKnownKind, validateSchema } from './schema.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../testdata/${name}/`, import.meta.url));

function faults(file: string): { text: string; violations: string[] } {
  const text = readFileSync(file, 'utf8');
  const object = parse(text) as { kind: string };
  if (!isKnownKind(object.kind)) throw new Error(`${file} is of no kind of ours`);
  return { text, violations: validateSchema(object.kind, object).map(({ message }) => message) };
}

describe('the validators agree with the fixtures', () => {
  it.each(readdirSync(folder('valid')))('accept %s', (name) => {
    expect(faults(folder('valid') + name).violations).toEqual([]);
  });

  it.each(readdirSync(folder('invalid')))('judge %s', (name) => {
    const { text, violations } = faults(folder('invalid') + name);
    // CEL is the API server's: the validators know nothing of it.
    if (text.startsWith('# cel\n')) expect(violations).toEqual([]);
    else expect(violations).toHaveLength(1);
  });

  it('says in a comment why each is there', () => {
    for (const kind of ['valid', 'invalid']) {
      for (const name of readdirSync(folder(kind))) {
        expect(readFileSync(folder(kind) + name, 'utf8'), name).toMatch(/^(# cel\n)?# [A-Z0-9"6]/);
      }
    }
  });
});

describe('validateSchema', () => {
  it('names the field that is missing, and the item of a list', () => {
    const violations = validateSchema('Sandbox', {
      spec: { templateRef: {}, env: [{ name: 'A' }, { name: '1' }] },
    });
    expect(violations.map(({ field }) => field).toSorted()).toEqual([
      'spec.env[1].name',
      'spec.templateRef.name',
    ]);
  });
});
