// SPDX-License-Identifier: Apache-2.0
import { refusals } from '../../../errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const SHORT: Readonly<Record<string, number>> = {
  '"': 0x22,
  '\\': 0x5c,
  '/': 0x2f,
  b: 0x08,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
};

export interface Taken {
  readonly bytes: Buffer;
  /** Where the piece goes on. */
  readonly next: number;
  readonly isOver: boolean;
}

/** Turns the inside of a JSON string (RFC 8259, section 7) into the bytes that it means, piece by piece. */
export class StringBytes {
  /** Of an escape that is not complete yet, without its backslash; undefined outside of one. */
  #escape: string | undefined;
  /** The first half of a character beyond U+FFFF. */
  #high: number | undefined;

  /** Takes a piece up to the closing quote. */
  push(piece: Buffer, from: number): Taken {
    // An escape is never shorter than what it means, but for one of which an earlier piece held the beginning.
    const out = Buffer.allocUnsafe(piece.length - from + 16);
    let size = 0;
    for (let at = from; at < piece.length; at++) {
      const byte = piece[at] ?? 0;
      if (this.#escape !== undefined) size += this.#inEscape(byte, out, size);
      else if (byte === BACKSLASH) this.#escape = '';
      else {
        size += this.#flushHigh(out, size);
        if (byte === QUOTE) return { bytes: out.subarray(0, size), next: at + 1, isOver: true };
        if (byte < 0x20) throw refusals.badRequest('the request body is not valid JSON');
        out[size++] = byte;
      }
    }
    return { bytes: out.subarray(0, size), next: piece.length, isOver: false };
  }

  /** How many bytes the escape comes to, with this byte of it. */
  #inEscape(byte: number, out: Buffer, at: number): number {
    const escape = (this.#escape ?? '') + String.fromCharCode(byte);
    if (escape.startsWith('u')) {
      this.#escape = escape;
      if (escape.length < 5) return 0;
      if (!/^u[0-9a-fA-F]{4}$/.test(escape)) throw refusals.badRequest('the request body is not valid JSON');
      this.#escape = undefined;
      return this.#unit(Number.parseInt(escape.slice(1), 16), out, at);
    }
    const meant = SHORT[escape];
    if (meant === undefined) throw refusals.badRequest('the request body is not valid JSON');
    this.#escape = undefined;
    const before = this.#flushHigh(out, at);
    out[at + before] = meant;
    return before + 1;
  }

  /** One UTF-16 unit; halves of characters that have lost the other half are written as U+FFFD. */
  #unit(unit: number, out: Buffer, at: number): number {
    const high = this.#high;
    if (high !== undefined && unit >= 0xdc00 && unit <= 0xdfff) {
      this.#high = undefined;
      return out.write(String.fromCharCode(high, unit), at);
    }
    const before = this.#flushHigh(out, at);
    if (unit < 0xd800 || unit > 0xdbff) return before + out.write(String.fromCharCode(unit), at + before);
    this.#high = unit;
    return before;
  }

  #flushHigh(out: Buffer, at: number): number {
    if (this.#high === undefined) return 0;
    this.#high = undefined;
    return out.write('\uFFFD', at);
  }
}
