// SPDX-License-Identifier: Apache-2.0

/** Texts of Warning headers (RFC 7234 5.5: `299 - "text"`, quotes and backslashes escaped). */
export function warningTexts(header: string | string[] | undefined): string[] {
  const lines = header === undefined ? [] : [header].flat();
  return lines.flatMap((line) =>
    [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) =>
      (match[1] ?? '').replace(/\\(.)/g, '$1'),
    ),
  );
}
