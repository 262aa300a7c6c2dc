// SPDX-License-Identifier: Apache-2.0

/**
 * SHA-256 in plain TypeScript: this workspace also runs in browsers, where the built-in digest is asynchronous
 * and missing on plain http. Written after FIPS 180-4.
 */

/** The eight words of the running hash. */
type Words = [number, number, number, number, number, number, number, number];

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const K = primes(64).map((p) => fraction(Math.cbrt(p)));
/** The same of the square roots of the first 8 primes. */
const INITIAL = primes(8).map((p) => fraction(Math.sqrt(p)));

/** SHA-256 of the UTF-8 form of the text, as 64 lower-case hexadecimal digits. */
export function sha256Hex(text: string): string {
  const bytes = utf8(text);
  const padded = pad(bytes);
  const state = [...INITIAL];
  for (let offset = 0; offset < padded.length; offset += 64) compress(state, schedule(padded, offset));
  return state.map((word) => word.toString(16).padStart(8, '0')).join('');
}

function compress(state: number[], w: Uint32Array): void {
  let round: Words = [...(state as unknown as Words)];
  for (const [i, k] of K.entries()) {
    const [a, b, c, d, e, f, g, h] = round;
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + k + (w[i] ?? 0)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    round = [(t1 + t2) | 0, a, b, c, (d + t1) | 0, e, f, g];
  }
  for (const [i, value] of round.entries()) state[i] = ((state[i] ?? 0) + value) >>> 0;
}

function schedule(bytes: Uint8Array, offset: number): Uint32Array {
  const w = new Uint32Array(64);
  const view = new DataView(bytes.buffer, offset, 64);
  for (let i = 0; i < 16; i++) w[i] = view.getUint32(i * 4);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15] ?? 0;
    const y = w[i - 2] ?? 0;
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w[i] = (w[i - 16] ?? 0) + s0 + (w[i - 7] ?? 0) + s1;
  }
  return w;
}

function pad(bytes: readonly number[]): Uint8Array {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, (bytes.length * 8) % 2 ** 32);
  return padded;
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
