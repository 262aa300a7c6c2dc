// SPDX-License-Identifier: Apache-2.0

/**
 * One line for a POSIX shell that runs exactly these words. Inside single quotes nothing is special (POSIX.1-2024, XCU
 * 2.2.2), so only the quote itself needs care.
 */
export function shellQuote(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

function quoteWord(word: string): string {
  if (/^[\w@%+:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
