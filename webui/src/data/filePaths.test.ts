// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { base64Of, bytesOf, crumbsOf, encodedPath, listedName, nameProblem, shownName } from './filePaths.ts';
import { sizeText } from '../text/numbers.ts';
import { nextPiece } from './transfers.ts';

describe('paths', () => {
  it.each([
    ['a b', 'a%20b', 'a b'],
    ['100%', '100%25', '100%'],
    ['%2e%2e', '%252e%252e', '%2e%2e'],
    ['two\nlines', 'two%0Alines', 'two\\nlines'],
    ['😀ü', '%F0%9F%98%80%C3%BC', '😀ü'],
    ['cod\u202egpj.exe', 'cod%E2%80%AEgpj.exe', 'cod\\u{202E}gpj.exe'],
    ['#?&;', '%23%3F%26%3B', '#?&;'],
  ])('holds %j as %s and shows it as %j', (name, encoded, text) => {
    expect(listedName({ name })).toBe(encoded);
    expect(shownName(encoded)).toBe(text);
  });

  it('holds bytes that are no text', () => {
    const encoded = listedName({ name: '\ufffd', nameBase64: '_8OoLw' });
    expect(encoded).toBe('%FF%C3%A8%2F');
    expect(shownName(encoded)).toBe('\\xFFè/');
    expect([...bytesOf(encoded)]).toEqual([0xff, 0xc3, 0xa8, 0x2f]);
    expect(base64Of('/%FF%FE')).toBe('L__-');
  });

  it('knows the way down', () => {
    expect(crumbsOf('/workspace/a/b', '/workspace')).toEqual([
      '/workspace',
      '/workspace/a',
      '/workspace/a/b',
    ]);
    expect(crumbsOf('/workspace', '/workspace')).toEqual(['/workspace']);
    expect(encodedPath('/work space/ü')).toBe('/work%20space/%C3%BC');
  });

  it.each([
    ['', 'empty'],
    ['a/b', 'slash'],
    ['..', 'dots'],
    ['ü'.repeat(128), 'long'],
    ['...', undefined],
  ])('judges the name %j', (name, problem) => expect(nameProblem(name)).toBe(problem));
});

describe('sizes', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1500, '1.5 kB'],
    [50_000_000, '50 MB'],
    [2.5e13, '25 TB'],
  ])('%d is %s', (bytes, text) => expect(sizeText(bytes, 'en')).toBe(text));

  it.each([
    [1024, 10, 2048],
    [16 * 1024 * 1024, 10, 16 * 1024 * 1024],
    [1024 * 1024, 1500, 1024 * 1024],
    [1024 * 1024, 5000, 512 * 1024],
    [256 * 1024, 5000, 256 * 1024],
  ])('a piece of %d that took %d ms is followed by one of %d', (size, ms, next) =>
    expect(nextPiece(size, ms)).toBe(next),
  );
});
