// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { applyPatch, type Operation } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import { equalJson } from './canonical.ts';
import { jsonPatch } from './jsonPatch.ts';

describe('jsonPatch', () => {
  it('touches the smallest paths only', () => {
    const before = { metadata: { labels: { a: '1' } }, spec: { timeout: '1h', env: [{ name: 'A' }] } };
    const after = {
      metadata: { labels: { a: '1', 'x/y~z': '2' } },
      spec: { env: [{ name: 'B' }], resolved: { hash: 'h' } },
    };
    expect(jsonPatch(before, after)).toEqual([
      { op: 'add', path: '/metadata/labels/x~1y~0z', value: '2' },
      { op: 'remove', path: '/spec/timeout' },
      { op: 'replace', path: '/spec/env', value: [{ name: 'B' }] },
      { op: 'add', path: '/spec/resolved', value: { hash: 'h' } },
    ]);
  });

  it('is empty for equal values', () => {
    expect(jsonPatch({ a: 1, b: { c: undefined } }, { b: {}, a: 1 })).toEqual([]);
  });

  it('turns one value into the other, as an independent implementation applies it', () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 5 });
    fc.assert(
      fc.property(json, json, (before, after) => {
        // JSON of an own __proto__ key cannot be patched by the oracle.
        fc.pre(!JSON.stringify([before, after]).includes('__proto__'));
        const document = { root: structuredClone(before) };
        const patch = jsonPatch({ root: before }, { root: after }) as Operation[];
        expect(applyPatch(document, structuredClone(patch)).filter((error) => error !== null)).toEqual([]);
        expect(equalJson(document.root, after)).toBe(true);
      }),
    );
  });
});
