// SPDX-License-Identifier: Apache-2.0

/** The rest of a path as the client encoded it, fit for the line of a request: its bytes go on untouched. */
export function encodedRest(rest: string): string {
  // node:http takes bytes above 127 as they come and makes characters of the same number of them.
  return rest.replaceAll(/[^\x21-\x7e]/g, (char) => escaped(char.charCodeAt(0) % 256));
}

/** Bytes of the last part of an encoded path. */
export function baseName(rest: string): Buffer {
  const last =
    encodedRest(rest)
      .split(/\/|%2f/i)
      .findLast((part) => part !== '') ?? '';
  const bytes: number[] = [];
  for (let at = 0; at < last.length; at++) {
    const code = /^%[0-9a-f]{2}/i.exec(last.slice(at, at + 3));
    bytes.push(code ? Number.parseInt(code[0].slice(1), 16) : last.charCodeAt(at));
    if (code) at += 2;
  }
  return Buffer.from(bytes);
}

/**
 * RFC 6266 with both forms of the name. Neither lets anything of it into the header: the plain one keeps harmless
 * characters only, the other one is encoded as RFC 8187 says.
 */
export function attachment(name: Buffer): string {
  const text = name.toString('utf8');
  const plain = text.replaceAll(/[^A-Za-z0-9._-]/g, '_') || 'download';
  const isText = Buffer.from(text, 'utf8').equals(name);
  if (plain === text || text === '' || !isText) return `attachment; filename="${plain}"`;
  return `attachment; filename="${plain}"; filename*=UTF-8''${[...name].map(attributeChar).join('')}`;
}

/** RFC 8187 section 3.2.1. */
const attributeChar = (byte: number): string => {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9!#$&+.^_`|~-]/.test(char) ? char : escaped(byte);
};

const escaped = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
