// SPDX-License-Identifier: Apache-2.0

/**
 * Names on Linux are bytes, and need not be text. So pages hold paths as they stand in a URL: absolute, each part
 * percent-encoded byte by byte. That is text, keeps every name apart from every other, and is what the API takes.
 */
export type FilePath = string;

const UNRESERVED = /[A-Za-z0-9_.~-]/;
const BYTE = /%([0-9a-f]{2})|([\s\S])/gi;

function encodedBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte);
    return UNRESERVED.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

const encodedText = (text: string): string => encodedBytes(new TextEncoder().encode(text));

/** One name that somebody has typed. */
export const encodedName = encodedText;

/** A path in plain text. */
export const encodedPath = (path: string): FilePath => path.split('/').map(encodedText).join('/');

/** The name of something that the server has listed. */
export function listedName({ name, nameBase64 }: { name: string; nameBase64?: string }): string {
  if (nameBase64 === undefined) return encodedText(name);
  const binary = atob(nameBase64.replaceAll('-', '+').replaceAll('_', '/'));
  return encodedBytes(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
}

export function bytesOf(encoded: string): Uint8Array<ArrayBuffer> {
  const parts = [...encoded.matchAll(BYTE)];
  return Uint8Array.from(parts, ([, hex, char]) =>
    hex === undefined ? (char ?? '').charCodeAt(0) : Number.parseInt(hex, 16),
  );
}

/** As `pathBase64` of the API takes it. */
export const base64Of = (path: FilePath): string =>
  btoa(Array.from(bytesOf(path), (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** Control characters, and those that turn the direction of text: a name with them could pass for another one. */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu;

/** A name or a path for people: bytes that are no text, and characters that nobody sees, are spelled out. */
export function shownName(encoded: string): string {
  const bytes = bytesOf(encoded);
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const char = charAt(bytes, at);
    text += char?.text ?? `\\x${(bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, '0')}`;
    at += char?.length ?? 1;
  }
  return text.replaceAll(UNSEEN, spelled);
}

const spelled = (char: string): string =>
  ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[char] ??
  `\\u{${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The character of UTF-8 that begins there, if one does. */
function charAt(bytes: Uint8Array, at: number): { text: string; length: number } | undefined {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    return { text: strict.decode(bytes.slice(at, at + length)), length };
  } catch {
    return undefined;
  }
}

export const childOf = (folder: FilePath, name: string): FilePath => `${folder.replace(/\/$/, '')}/${name}`;
export const parentOf = (path: FilePath): FilePath => path.slice(0, path.lastIndexOf('/')) || '/';
export const lastName = (path: FilePath): string => path.slice(path.lastIndexOf('/') + 1);

/** Is it this folder, or in it? */
export const isWithin = (path: FilePath, folder: FilePath): boolean =>
  path === folder || path.startsWith(`${folder.replace(/\/$/, '')}/`);

/** The folders from a root down to a path, the path itself last. */
export function crumbsOf(path: FilePath, root: FilePath): readonly FilePath[] {
  const crumbs = [path];
  for (let at = path; at !== root && at.lastIndexOf('/') > 0; ) crumbs.unshift((at = parentOf(at)));
  return crumbs;
}

/** Bytes of the longest name that Linux file systems take. */
const LONGEST = 255;

/** What is wrong with a name that somebody has typed. */
export function nameProblem(name: string): 'empty' | 'slash' | 'dots' | 'long' | undefined {
  if (name === '') return 'empty';
  if (name.includes('/')) return 'slash';
  if (name === '.' || name === '..') return 'dots';
  return new TextEncoder().encode(name).length > LONGEST ? 'long' : undefined;
}
