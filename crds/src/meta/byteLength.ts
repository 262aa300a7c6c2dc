// SPDX-License-Identifier: Apache-2.0

/** Bytes of the text in UTF-8; a lone surrogate becomes U+FFFD, of three bytes. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) bytes += unit < 0x800 ? 1 : 2;
    // The two halves of a pair are four bytes together, not six.
    if (isPair(unit, text.charCodeAt(i + 1))) i++;
  }
  return bytes;
}

const isPair = (high: number, low: number): boolean =>
  high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
