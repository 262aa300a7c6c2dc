// SPDX-License-Identifier: Apache-2.0
import type { Place } from './generated/operations.ts';

interface Parts {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
}

/** The address of an operation. Throws TypeError for a parameter that is missing or would lead elsewhere. */
export function urlOf(base: string, { path, rest }: Place, { params = {}, query = {} }: Parts): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined || value === '') throw new TypeError(`${name} is missing`);
    return name === rest ? segments(name, value) : segment(name, value);
  });
  const search = new URLSearchParams(
    Object.entries(query)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): [string, string] => [name, String(value)]),
  );
  const text = search.toString();
  return `${base.replace(/\/+$/, '')}/api/v1${filled}${text === '' ? '' : `?${text}`}`;
}

const segments = (name: string, value: string): string =>
  value
    .replace(/^\/+/, '')
    .split('/')
    .map((part) => segment(name, part))
    .join('/');

/** The URL standard resolves dot segments, encoded ones too: no way to write them leads to a thing of that name. */
function segment(name: string, value: string): string {
  if (value === '.' || value === '..') throw new TypeError(`${name} must not hold "${value}" as a segment`);
  return encodeURIComponent(value);
}
