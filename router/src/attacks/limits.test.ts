// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, Harness } from '../testing/harness.ts';
import { sendRaw } from '../testing/rawHttp.ts';
import { BODY_ROUTES } from '../testing/routePaths.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  await harness.add({ name: 'box', phase: 'Stopped' });
});
afterAll(() => harness.stop());

const MIB = 1024 * 1024;

describe('a head that is larger than 16 KiB', () => {
  it.each([
    ['one header', `X-A: ${'x'.repeat(20_000)}\r\n`],
    ['many headers', 'a: b\r\n'.repeat(5_000)],
    ['a name without an end', `${'x'.repeat(20_000)}: b\r\n`],
  ])('for %s: 431', async (_name, headers) => {
    const { statuses, text } = await sendRaw(
      harness.url,
      `GET /healthz HTTP/1.1\r\nHost: x\r\n${headers}\r\n`,
    );
    expect(statuses).toEqual([431]);
    expect(text).toContain('{"error":"the headers are larger than 16 KiB"}');
  });

  it('for its URL: 431', async () => {
    const url = `/api/v1/sandboxes?${'x'.repeat(20_000)}`;
    expect((await sendRaw(harness.url, `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`)).statuses).toEqual([431]);
  });

  it('hides nothing behind headers that are not read any more', async () => {
    const many = 'a:\r\n'.repeat(3_000);
    const head = `GET /api/v1/user/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${many}X-API-Key: ${ANN_KEY}\r\n\r\n`;
    const { statuses } = await sendRaw(harness.url, head);
    expect([[401], [431]]).toContainEqual(statuses);
  });
});

const post = (path: string, method: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(`${harness.url}${path}`, {
    method,
    headers: { 'X-API-Key': ADMIN_KEY, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });

describe('a body of JSON', () => {
  it('is bounded for every route that takes one', () => {
    expect(BODY_ROUTES.length).toBeGreaterThan(20);
    for (const { name, limit } of BODY_ROUTES) expect([name, limit <= 32 * MIB]).toEqual([name, true]);
  });

  it('of gzip is bounded by what it unpacks to', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB, ' '));
    expect(bomb.length).toBeLessThan(MIB);
    const answer = await post('/api/v1/sandboxes', 'POST', bomb, { 'Content-Encoding': 'gzip' });
    expect(answer.status).toBe(413);
  });

  it('in an encoding that is none is refused', async () => {
    const answer = await post('/api/v1/sandboxes', 'POST', '{}', { 'Content-Encoding': 'x' });
    expect(answer.status).toBe(415);
  });

  it('is cut where it exceeds the bound, whatever was announced', async () => {
    const big = `{"name":"${'x'.repeat(2 * MIB)}"}`;
    const chunk = `${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`;
    const head = `POST /api/v1/sandboxes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: ${ANN_KEY}\r\n`;
    const { statuses } = await sendRaw(harness.url, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
    expect(statuses).toEqual([413]);
  });

  it.each(BODY_ROUTES)(
    'that is nested as deep as it may be long is no fault of ours: $name',
    async (route) => {
      const depth = Math.min(route.limit, MIB) / 4;
      const nests = [
        '['.repeat(depth * 4),
        `{"name":${'['.repeat(depth)}${']'.repeat(depth)}}`,
        `{"spec":${'{"a":'.repeat(depth / 2)}1${'}'.repeat(depth / 2)},"name":"deep"}`,
      ];
      for (const body of nests) {
        const { status } = await post(route.path, route.method, body);
        expect(status).toBe(400);
      }
    },
  );

  it('that is nested without end is no fault of ours in a message of MCP', async () => {
    const deep = `${'['.repeat(MIB / 4)}${']'.repeat(MIB / 4)}`;
    const params = `{"name":"sandbox_list","arguments":{"namespace":${deep}}}`;
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
    for (const body of [deep, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`]) {
      expect((await post('/mcp', 'POST', body, headers)).status).toBeLessThan(500);
    }
  });
});
