// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputBytes, OutputFrames } from './textFrames.ts';

const dataOf = (frame: string | undefined): string =>
  frame === undefined ? '' : (JSON.parse(frame) as { data: string }).data;

describe('OutputFrames', () => {
  it('keeps every character whole wherever the chunks are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(7), { minLength: 1 }), (text, sizes) => {
        const bytes = Buffer.from(text, 'utf8');
        const frames = new OutputFrames();
        let seen = '';
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = (sizes[turn % sizes.length] ?? 0) + 1;
          seen += dataOf(frames.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(seen + dataOf(frames.end())).toBe(text);
      }),
    );
  });

  it('sends nothing for half a character and all of it with the rest', () => {
    const frames = new OutputFrames();
    const smile = Buffer.from('😀');
    expect(frames.push(smile.subarray(0, 2))).toBeUndefined();
    expect(dataOf(frames.push(smile.subarray(2)))).toBe('😀');
  });

  it('shows bytes that are no UTF-8 as replacement characters, at the end too', () => {
    const frames = new OutputFrames();
    expect(dataOf(frames.push(Buffer.from([0x61, 0xff])))).toBe('a\uFFFD');
    frames.push(Buffer.from([0xf0, 0x9f]));
    expect(dataOf(frames.end())).toBe('\uFFFD');
  });

  it('starts a replay with a whole character', () => {
    const frames = new OutputFrames();
    frames.push(Buffer.from('😀').subarray(0, 3));
    frames.restart();
    expect(dataOf(frames.push(Buffer.from('é😀').subarray(1)))).toBe('😀');
    expect(dataOf(frames.push(Buffer.from([0x80])))).toBe('\uFFFD');
  });

  it('keeps a byte order mark, which is the program’s output like any other', () => {
    expect(dataOf(new OutputFrames().push(Buffer.from('\uFEFFx')))).toBe('\uFEFFx');
  });
});

describe('InputBytes', () => {
  it('joins a character that the client cut in two', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 5 }), (text, size) => {
        const input = new InputBytes();
        const parts: Buffer[] = [];
        for (let at = 0; at < text.length; at += size) parts.push(input.push(text.slice(at, at + size)));
        expect(Buffer.concat(parts).toString('utf8')).toBe(text);
      }),
    );
  });
});
