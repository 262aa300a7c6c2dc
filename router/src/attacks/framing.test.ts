// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANN_KEY, Harness } from '../testing/harness.ts';
import { sendRaw } from '../testing/rawHttp.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

const send = (...lines: string[]) => sendRaw(harness.url, lines.join('\r\n'));

/** What an attacker wants to be taken for a request of its own. */
const SMUGGLED = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const ATTACKED = ['POST /api/v1/sandboxes HTTP/1.1', 'Host: x', `X-API-Key: ${ANN_KEY}`];
const ofLength = (length: number | string): string => `Content-Length: ${length}`;
const CHUNKED = 'Transfer-Encoding: chunked';

describe('a request whose end two readers would see in different places', () => {
  const rows: [name: string, headers: string[], body: string][] = [
    ['length and chunks', [ofLength(6), CHUNKED], `0\r\n\r\n${SMUGGLED}`],
    ['chunks and length', [CHUNKED, ofLength(4)], `1\r\nA\r\n0\r\n\r\n${SMUGGLED}`],
    ['two lengths', [ofLength(0), ofLength(SMUGGLED.length)], SMUGGLED],
    ['the same length twice', [ofLength(2), ofLength(2)], `{}${SMUGGLED}`],
    ['a list of lengths', [ofLength('2, 2')], `{}${SMUGGLED}`],
    ['a signed length', [ofLength('+2')], `{}${SMUGGLED}`],
    ['a negative length', [ofLength(-1)], SMUGGLED],
    ['a length in hexadecimal', [ofLength('0x2')], `{}${SMUGGLED}`],
    ['a length beyond 64 bits', [ofLength('18446744073709551618')], SMUGGLED],
    ['chunks that are not last', ['Transfer-Encoding: chunked, identity'], `0\r\n\r\n${SMUGGLED}`],
    ['chunks twice', [CHUNKED, 'Transfer-Encoding: identity'], `0\r\n\r\n${SMUGGLED}`],
    ['a coding behind a tab of its own', ['Transfer-Encoding: \x0bchunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a space before the colon', ['Transfer-Encoding : chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a folded header', ['X-A: b', ' Transfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a folded coding', ['Transfer-Encoding:', ' chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a bare line feed', ['X-A: b\nTransfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a bare carriage return', ['X-A: b\rTransfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a zero byte', ['X-A: b\0c'], SMUGGLED],
  ];
  it.each(rows)('%s: is refused, and nothing behind it is read', async (_name, headers, body) => {
    const { statuses, text } = await send(...ATTACKED, ...headers, '', body);
    expect(statuses).toEqual([400]);
    expect(text).toContain('{"error":"the request is not valid HTTP"}');
  });
});

/** Found when the request is already with its handler, which might be answering: a second answer could be taken for part of it. */
describe('a body whose end two readers would see in different places', () => {
  const rows: [name: string, headers: string[], body: string][] = [
    ['an unknown coding', ['Transfer-Encoding: xchunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a chunk of no size', [CHUNKED], `\r\n\r\n${SMUGGLED}`],
    ['a chunk of a negative size', [CHUNKED], `-1\r\n\r\n${SMUGGLED}`],
    ['a chunk in 0x', [CHUNKED], `0x0\r\n\r\n${SMUGGLED}`],
    ['a chunk beyond 64 bits', [CHUNKED], `10000000000000000\r\n${SMUGGLED}`],
    ['a chunk that is longer than it says', [CHUNKED], `1\r\nABC\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk that ends with a bare line feed', [CHUNKED], `2\r\n{}\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk line with a bare line feed', [CHUNKED], `2;a\n{}\r\n0\r\n\r\n${SMUGGLED}`],
    ['endless extensions of a chunk', [CHUNKED], `2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`],
  ];
  it.each(rows)('%s: is cut off, and nothing behind it is read', async (_name, headers, body) => {
    expect((await send(...ATTACKED, ...headers, '', body)).statuses).toEqual([]);
    expect(harness.api.calls.filter(({ verb }) => verb === 'create')).toEqual([]);
  });
});

describe('a body', () => {
  it.each([
    ['of a GET', 'GET /api/v1/user/me', `X-API-Key: ${ANN_KEY}`, 200],
    ['of a request without credentials', 'POST /api/v1/sandboxes', 'X-A: b', 401],
    ['of a path that is none', 'POST /nothing', 'X-A: b', 404],
    ['of a HEAD', 'HEAD /healthz', 'X-A: b', 200],
  ])('%s is never taken for the next request', async (_name, line, header, status) => {
    const next = 'GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const inside = 'DELETE /api/v1/sandboxes/box HTTP/1.1\r\nHost: x\r\n\r\n';
    const head = [`${line} HTTP/1.1`, 'Host: x', header, ofLength(inside.length)];
    const { statuses } = await send(...head, '', inside + next);
    expect(statuses).toEqual([status, 200]);
  });

  it('has no trailers that count as headers', async () => {
    const trailers = `X-API-Key: ${ANN_KEY}\r\nConnection: close\r\n\r\n`;
    const head = ['POST /api/v1/sandboxes HTTP/1.1', 'Host: x', 'Connection: close', CHUNKED];
    const { statuses } = await send(...head, '', `2\r\n{}\r\n0\r\n${trailers}`);
    expect(statuses).toEqual([401]);
  });
});

describe('what is no HTTP/1.1', () => {
  it.each([
    ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/3.0', 'GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n'],
    ['a method in small letters', 'get /healthz HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a space before the method', ' GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('%s: is refused', async (_name, bytes) => {
    const { statuses } = await sendRaw(harness.url, bytes);
    expect(statuses).toEqual([400]);
  });

  it('is answered as HTTP/1.1 where it is HTTP/0.9, once', async () => {
    const { statuses } = await sendRaw(harness.url, `GET /healthz\r\n\r\n${SMUGGLED}`);
    expect(statuses).toEqual([200]);
  });
});
