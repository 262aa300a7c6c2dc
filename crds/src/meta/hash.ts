// SPDX-License-Identifier: Apache-2.0

/**
 * SHA-256 in plain TypeScript: this workspace also runs in browsers, where the built-in digest is asynchronous
 * and missing on plain http. Written after FIPS 180-4.
 */

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const K = words(primes(64).map((p) => fraction(Math.cbrt(p))));
/** The same of the square roots of the first 8 primes. */
const INITIAL = primes(8).map((p) => fraction(Math.sqrt(p)));

/** SHA-256 of the UTF-8 form of the text, as 64 lower-case hexadecimal digits. */
export function sha256Hex(text: string): string {
  const padded = pad(utf8(text));
  const state = words(INITIAL);
  const w = words(Array.from({ length: 64 }, () => 0));
  for (let offset = 0; offset < padded.byteLength; offset += 64) {
    schedule(w, padded, offset);
    compress(state, w);
  }
  return INITIAL.map((_, i) =>
    state
      .getUint32(i * 4)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
}

/** Words live in a DataView: its reads are never undefined, and engines compile them to plain loads. */
function words(values: readonly number[]): DataView {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value);
  return view;
}

function compress(state: DataView, w: DataView): void {
  let a = state.getInt32(0);
  let b = state.getInt32(4);
  let c = state.getInt32(8);
  let d = state.getInt32(12);
  let e = state.getInt32(16);
  let f = state.getInt32(20);
  let g = state.getInt32(24);
  let h = state.getInt32(28);
  for (let i = 0; i < 256; i += 4) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K.getInt32(i) + w.getInt32(i)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) {
    state.setInt32(i * 4, state.getInt32(i * 4) + value);
  }
}

function schedule(w: DataView, bytes: DataView, offset: number): void {
  for (let i = 0; i < 64; i += 4) w.setInt32(i, bytes.getInt32(offset + i));
  for (let i = 64; i < 256; i += 4) {
    const x = w.getInt32(i - 60);
    const y = w.getInt32(i - 8);
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w.setInt32(i, w.getInt32(i - 64) + s0 + w.getInt32(i - 28) + s1);
  }
}

function pad(bytes: readonly number[]): DataView {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, (bytes.length * 8) % 2 ** 32);
  return view;
}

/** UTF-8 without TextEncoder, which the plain language library does not have. Lone surrogates become U+FFFD. */
function utf8(text: string): number[] {
  const out: number[] = [];
  for (const character of text.toWellFormed()) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), tail(code, 0));
    else if (code < 0x1_0000) out.push(0xe0 | (code >> 12), tail(code, 6), tail(code, 0));
    else out.push(0xf0 | (code >> 18), tail(code, 12), tail(code, 6), tail(code, 0));
  }
  return out;
}

function tail(code: number, shift: number): number {
  return 0x80 | ((code >> shift) & 0x3f);
}

function rotate(x: number, bits: number): number {
  return (x >>> bits) | (x << (32 - bits));
}

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32) >>> 0;
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((p) => n % p !== 0)) found.push(n);
  return found;
}
