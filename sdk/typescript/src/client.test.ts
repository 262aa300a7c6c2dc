// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError, createClient } from './client.ts';
import type { ClientOptions } from './client.ts';

type Script = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server;
let url = '';
let script: Script[] = [];
let seen: {
  method?: string | undefined;
  url?: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}[] = [];

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      seen.push({ method: request.method, url: request.url, headers: request.headers, body });
      const step = script.shift();
      if (step) step(request, response, body);
      else response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Script =>
  (_request, response) =>
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));

const client = (options: Partial<ClientOptions> = {}) => createClient({ url, apiKey: 'atk_x', ...options });
const QUICK = { most: 2, firstMs: 1, longestMs: 5 };

it('puts parameters, query and body where they belong', async () => {
  script = [json(200, { sandboxId: 'a/b' }), json(201, { sandboxId: 'c' })];
  await client().getSandbox({ params: { id: 'a/b?#%' }, query: { namespace: 'team a' } });
  await client({ token: async () => 'jwt' }).createSandbox({
    body: { name: 'c', templateRef: { name: 't' } },
  });
  expect(seen).toMatchObject([
    {
      method: 'GET',
      url: '/api/v1/sandboxes/a%2Fb%3F%23%25?namespace=team+a',
      headers: { 'x-api-key': 'atk_x' },
    },
    { method: 'POST', url: '/api/v1/sandboxes', headers: { 'content-type': 'application/json' } },
  ]);
  expect(JSON.parse(seen[1]?.body ?? '')).toEqual({ name: 'c', templateRef: { name: 't' } });
});

it('asks for a token before each request', async () => {
  let turn = 0;
  script = [json(200, {}), json(200, {})];
  const tokens = createClient({ url, token: () => `t${++turn}` });
  await tokens.currentUser();
  await tokens.currentUser();
  expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer t1', 'Bearer t2']);
});

it('rejects a segment that leads elsewhere, before it asks', async () => {
  await expect(client().getSandbox({ params: { id: '..' } })).rejects.toThrow(TypeError);
  expect(seen).toEqual([]);
});

it('says what was refused', async () => {
  const violations = [
    { code: 'cpu_limit_exceeded', field: 'spec.resources.limits.cpu', message: 'too much' },
  ];
  script = [json(403, { error: 'policy_violation', message: 'no', violations }, { 'X-Request-ID': 'r1' })];
  const error = await client()
    .deleteSandbox({ params: { id: 'a' } })
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    status: 403,
    code: 'policy_violation',
    message: 'no',
    violations,
    requestId: 'r1',
  });
});

it('copes with an error page of a proxy', async () => {
  script = [
    (_request, response) => response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad</h1>'),
  ];
  await expect(client().currentUser()).rejects.toMatchObject({ status: 502, code: '', body: '<h1>Bad</h1>' });
});

describe('retries', () => {
  it('are off unless asked for', async () => {
    script = [json(503, { error: 'busy' }), json(200, {})];
    await expect(client().currentUser()).rejects.toMatchObject({ status: 503 });
  });

  it('repeat a GET after a refusal that passes and after a cut connection', async () => {
    script = [
      json(429, { error: 'rate_limited' }, { 'Retry-After': '0' }),
      (request) => request.socket.destroy(),
      json(200, { sub: 'ann' }),
    ];
    await expect(client({ retry: QUICK }).currentUser()).resolves.toEqual({ sub: 'ann' });
  });

  it('do not repeat a POST, nor what is refused for good', async () => {
    script = [json(503, { error: 'busy' }), json(404, { error: 'no' })];
    const retrying = client({ retry: QUICK });
    await expect(retrying.stopSandbox({ params: { id: 'a' } })).rejects.toMatchObject({ status: 503 });
    await expect(retrying.getSandbox({ params: { id: 'a' } })).rejects.toMatchObject({ status: 404 });
    expect(seen).toHaveLength(2);
  });

  it('end with the signal', async () => {
    const stop = new AbortController();
    script = [
      (_request, response) => {
        response.writeHead(503, { 'Retry-After': '60' }).end();
        setImmediate(() => stop.abort(new Error('enough')));
      },
    ];
    const retrying = client({ retry: { most: 5, longestMs: 60_000 } });
    await expect(retrying.currentUser({}, { signal: stop.signal })).rejects.toThrow('enough');
  });
});
