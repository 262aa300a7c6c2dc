// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { byteLength } from './byteLength.ts';

describe('byteLength', () => {
  it.each(['', 'abc', 'é', '€', '😀', 'a😀é€\n', '\ud83d', '\ude00\ud83d', 'x\ud83dy'])('%j', (text) => {
    expect(byteLength(text)).toBe(Buffer.byteLength(text));
  });
});
