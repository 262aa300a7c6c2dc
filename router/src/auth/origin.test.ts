// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { originAllowed } from './origin.ts';

describe('originAllowed', () => {
  const rows: [name: string, origin: string | undefined, host: string | undefined, allowed: boolean][] = [
    ['no browser', undefined, 'api.example', true],
    ['the own page', 'https://api.example', 'api.example', true],
    ['the own page on a port', 'http://localhost:8080', 'localhost:8080', true],
    ['host in capitals', 'https://api.example', 'API.example', true],
    ['a listed page', 'https://ui.example', 'api.example', true],
    ['another port', 'http://localhost:3000', 'localhost:8080', false],
    ['a stranger', 'https://evil.example', 'api.example', false],
    ['a name that begins alike', 'https://ui.example.evil', 'api.example', false],
    ['a listed host on another scheme', 'http://ui.example', 'api.example', false],
    ['a sandboxed frame', 'null', 'api.example', false],
    ['no host', 'https://api.example', undefined, false],
  ];
  it.each(rows)('%s', (_name, origin, host, allowed) => {
    expect(originAllowed(origin, host, ['https://ui.example'])).toBe(allowed);
  });
});
