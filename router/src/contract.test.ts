// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from './api/contract.ts';
import type { Route } from './api/route.ts';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, Harness } from './testing/harness.ts';

/** What clients of old rely on, whatever the operation. */

let harness: Harness;
beforeAll(async () => void (harness = await Harness.start()));
afterAll(() => harness.stop());

const ALL: readonly Route[] = ROUTES;
const pathOf = ({ path }: Route): string => `/api/v1${path.replaceAll(/[:*]\w+/g, 'x')}`;

describe('every route', () => {
  it.each(ALL.filter(({ open }) => !open).map((route) => [route.operation, route] as const))(
    '%s asks for a credential, and says so in JSON',
    async (_, route) => {
      const answer = await harness.call(route.method.toUpperCase(), pathOf(route), { key: '' });
      expect(answer).toMatchObject({ status: 401, body: { error: 'missing_authorization' } });
    },
  );

  const withBody = ALL.filter(({ body, open }) => !open && body !== undefined && body !== 'raw');
  it.each(withBody.map((route) => [route.operation, route] as const))(
    '%s refuses a body that is no JSON, in JSON',
    async (_, route) => {
      const answer = await harness.call(route.method.toUpperCase(), pathOf(route), {
        key: ADMIN_KEY,
        body: '{"',
      });
      expect(answer).toMatchObject({ status: 400, body: { error: 'the request body is not valid JSON' } });
    },
  );

  it.each(withBody.map((route) => [route.operation, route] as const))(
    '%s refuses a body that is too large, in JSON',
    async (_, route) => {
      if (route.body === undefined || route.body === 'raw') throw new Error('it takes none');
      const body = `{"x":"${'x'.repeat(route.body.limit)}"}`;
      const answer = await harness.call(route.method.toUpperCase(), pathOf(route), { key: ADMIN_KEY, body });
      expect(answer).toMatchObject({ status: 413, body: { error: expect.stringContaining('larger than') } });
    },
  );
});

describe('what is no route', () => {
  it('names the methods that a path has to whoever asks with another', async () => {
    const answer = await harness.call('DELETE', '/api/v1/templates', { key: '' });
    expect(answer).toMatchObject({ status: 405, body: { error: 'method not allowed' } });
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it.each(['/api/v1//sandboxes', '/api/v1/x/../sandboxes', '/api/v1/sandboxes/'])(
    'is no redirect: %s',
    async (path) => {
      const answer = await fetch(`${harness.url}${path}`, {
        headers: { 'X-API-Key': ANN_KEY },
        redirect: 'manual',
      });
      expect(answer.status).toBe(200);
    },
  );

  it('is no valid path', async () => {
    expect(await harness.call('GET', '/api/v1/sandboxes/%zz')).toMatchObject({
      status: 400,
      body: { error: 'the path is not valid percent-encoding' },
    });
  });

  it.each([
    [
      'headers without end',
      `GET /api/v1/sandboxes HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
    ],
    [
      'two lengths',
      'POST /api/v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    [
      'a length and chunks',
      'POST /api/v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 400],
  ])('is refused in JSON: %s', async (_, request, status) => {
    const answer = await rawAnswer(request);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain('Content-Type: application/json');
    expect(JSON.parse(body)).toEqual({ error: expect.any(String) });
  });
});

function rawAnswer(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(harness.url);
    const socket = connect(Number(port), hostname, () => socket.write(request));
    let answer = '';
    socket.on('data', (part) => (answer += part.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

it('gives its reference to anybody', async () => {
  const answer = await harness.call('GET', '/api/v1/openapi.json', { key: '' });
  expect(answer).toMatchObject({ status: 200, body: { openapi: '3.1.0' } });
  expect(Object.keys(answer.body.paths)).toContain('/sandboxes/{id}');
});

it.each([
  ['/api/v1/sandboxes', 'sandboxes'],
  ['/api/v1/templates', 'templates'],
  ['/api/v1/governance/policies', 'namespaces'],
  ['/api/v1/user/me', 'groups'],
  ['/api/v1/admin/sharing', 'sandboxes'],
])('%s has an empty list, never null', async (path, list) => {
  expect((await harness.call('GET', path, { key: ADMIN_KEY })).body[list]).toEqual([]);
});

describe('sandboxes', () => {
  it('are named and told as clients of old know them', async () => {
    const sharing = { users: [{ identity: 'bob', level: 'viewer' as const }] };
    const spec = { templateRef: { name: 'shell' }, createdBy: { sub: 'ann' }, sharing };
    await harness.add({ name: 'known', spec });
    for (const key of [ANN_KEY, BOB_KEY]) {
      const { body } = await harness.call('GET', '/api/v1/sandboxes', { key });
      const [view] = body.sandboxes;
      expect(view).toMatchObject({
        sandboxId: 'known',
        name: 'known',
        namespace: 'default',
        status: 'Running',
      });
      expect(view.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
    }
  });

  it('are stopped, resumed and deleted without a body or a content type', async () => {
    await harness.add({ name: 'plain' });
    const send = (method: string, path: string) =>
      fetch(`${harness.url}/api/v1/sandboxes/${path}`, { method, headers: { 'X-API-Key': ANN_KEY } });
    expect(await (await send('POST', 'plain/stop')).json()).toEqual({ status: 'stopping' });
    expect(await (await send('POST', 'plain/resume')).json()).toEqual({ status: 'resuming' });
    const deleted = await send('DELETE', 'plain');
    expect([deleted.status, await deleted.text()]).toEqual([204, '']);
  });

  it('are created whole from a body that comes in pieces, without a length', async () => {
    const text = JSON.stringify({
      name: 'pieces',
      templateRef: { name: 'shell' },
      timeout: '1h',
      unknown: 1,
    });
    const body = new ReadableStream({
      start: (controller) => {
        for (const piece of [text.slice(0, 20), text.slice(20)])
          controller.enqueue(new TextEncoder().encode(piece));
        controller.close();
      },
    });
    const init = { method: 'POST', headers: { 'X-API-Key': ANN_KEY }, body, duplex: 'half' } as const;
    const answer = await fetch(`${harness.url}/api/v1/sandboxes`, init);
    expect([answer.status, await answer.json()]).toEqual([
      201,
      { sandboxId: 'pieces', name: 'pieces', namespace: 'default', status: 'Creating', templateRef: 'shell' },
    ]);
    const [, , given] = harness.calls.findLast(({ method }) => method === 'create')?.given ?? [];
    expect(given).toMatchObject({ spec: { timeout: '1h' } });
  });

  it('are found in the namespace that is asked for', async () => {
    await harness.add({ name: 'twin', namespace: 'one' });
    await harness.add({ name: 'twin', namespace: 'two' });
    expect((await harness.call('GET', '/api/v1/sandboxes/twin')).status).toBe(409);
    for (const namespace of ['one', 'two']) {
      const answer = await harness.call('GET', `/api/v1/sandboxes/twin?namespace=${namespace}`);
      expect(answer.body).toMatchObject({ name: 'twin', namespace });
    }
  });
});
