// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Base64 } from './base64.ts';
import { BodyScanner } from './scanner.ts';

interface Scanned {
  readonly rest: unknown;
  readonly files: { readonly path: string | undefined; readonly encoding: string; readonly text: string }[];
}

function scan(text: string | Buffer, sizes: readonly number[] = []): Scanned {
  const scanner = new BodyScanner();
  const files: { path: string | undefined; encoding: string; pieces: Buffer[] }[] = [];
  for (const piece of piecesOf(Buffer.from(text), sizes)) {
    for (const part of scanner.push(piece)) {
      if (part.part === 'begin') files.push({ path: part.path, encoding: part.encoding, pieces: [] });
      else if (part.part === 'bytes') files.at(-1)?.pieces.push(Buffer.from(part.bytes));
    }
  }
  const rest = scanner.end();
  return {
    rest,
    files: files.map(({ pieces, ...file }) => ({ ...file, text: Buffer.concat(pieces).toString() })),
  };
}

function piecesOf(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let from = 0, i = 0; from < bytes.length; i++) {
    const size = (sizes[i % Math.max(1, sizes.length)] ?? bytes.length) + 1;
    pieces.push(bytes.subarray(from, from + size));
    from += size;
  }
  return pieces;
}

/** As other programs write it: everything that is no ASCII as an escape. */
const ascii = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[\u0080-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

describe('the scanner of bodies with files', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }).map((s) => s.toWellFormed()),
    fc.constantFrom('"', '\\', '\\"', '\u0000\u001f', '🙂', '{"content":"x"}', ''),
  );
  const file = fc.record({ path: text, content: text });

  it('hands out what a JSON parser would, wherever the body is cut', () => {
    const sizes = fc.array(fc.nat({ max: 6 }), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(file), text, fc.boolean(), sizes, (files, command, escaped, cuts) => {
        const body = { installCommand: [command, 'content'], files, entrypoint: null };
        const encoded = escaped ? ascii(body) : JSON.stringify(body, undefined, 1);
        const scanned = scan(encoded, cuts);
        expect(scanned.files).toEqual(
          files.map(({ path, content }) => ({ path, encoding: 'content', text: content })),
        );
        expect(scanned.rest).toEqual({
          ...body,
          files: files.map(({ path }, i) => ({ path, content: String(i) })),
        });
      }),
    );
  });

  it('takes a content before its path, and halves of characters as what they are', () => {
    const { rest, files } = scan(
      '{"files":[{"content":"a\\ud83d|\\ude42|\\ud83d\\ud83d\\ude42","path":"/a"},{"contentBase64" : "QQ=="}]}',
    );
    expect(files).toEqual([
      { path: undefined, encoding: 'content', text: 'a\uFFFD|\uFFFD|\uFFFD🙂' },
      { path: undefined, encoding: 'contentBase64', text: 'QQ==' },
    ]);
    expect(rest).toEqual({ files: [{ content: '0', path: '/a' }, { contentBase64: '1' }] });
  });

  it.each([
    ['no JSON', 'files'],
    ['a content that never ends', '{"files":[{"content":"x'],
    ['an escape that is none', '{"content":"\\x"}'],
    ['a code that is none', '{"content":"\\u12g4"}'],
    ['a line break in a string', '{"content":"a\nb"}'],
    ['nothing', ''],
    ['bytes that are no characters', Buffer.from([0x22, 0xff, 0x22])],
  ])('refuses %s', (_, body) => {
    expect(() => scan(body)).toThrow(/not valid JSON/);
  });

  it('keeps little of what is no content', () => {
    expect(() => scan(JSON.stringify({ installCommand: ['x'.repeat(1024 * 1024)] }))).toThrow(/larger than/);
    expect(scan(JSON.stringify({ content: 'x'.repeat(2 * 1024 * 1024) })).files[0]?.text).toHaveLength(
      2 * 1024 * 1024,
    );
  });
});

describe('base64 in pieces', () => {
  const decode = (pieces: readonly string[]): string | undefined => {
    const base64 = new Base64();
    let out = '';
    for (const piece of pieces) {
      const bytes = base64.push(Buffer.from(piece));
      if (bytes === undefined) return undefined;
      out += bytes.toString('latin1');
    }
    return base64.isComplete() ? out : undefined;
  };

  it('comes out as it went in', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat({ max: 5 }), (bytes, size) => {
        const encoded = Buffer.from(bytes).toString('base64');
        const pieces = piecesOf(Buffer.from(encoded), [size]).map(String);
        expect(decode(pieces)).toBe(Buffer.from(bytes).toString('latin1'));
      }),
    );
  });

  it.each(['QQ=', 'Q', 'QQ==QQ==', 'Q=Q=', 'QU_-', 'äöüß'])('refuses %s', (text) => {
    expect(decode([text])).toBeUndefined();
  });

  it('takes line breaks', () => {
    expect(decode(['QU\r\n', 'JD\n'])).toBe('ABC');
  });
});
