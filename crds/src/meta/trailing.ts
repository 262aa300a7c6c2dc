// SPDX-License-Identifier: Apache-2.0

/**
 * The text without this character at its end. A pattern such as `/\/+$/` tries anew at each of a million slashes that do not
 * stand at the end, which keeps a processor busy for minutes.
 */
export function withoutTrailing(text: string, char: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === char) end--;
  return text.slice(0, end);
}
