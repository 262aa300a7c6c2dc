// SPDX-License-Identifier: Apache-2.0
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ANN_KEY, BOB_KEY, Harness, keySecret } from '../testing/harness.ts';
import { FakePodExec } from '../testing/fakePodExec.ts';
import { relayInto } from '../testing/relay.ts';
import { RealRuntime, REAL_UID } from '../testing/realRuntime.ts';

const SCOPED_KEY = 'atk_scoped-0123456789abcdefghijklm';
const GROUP_KEY = 'atk_groups-0123456789abcdefghijklm';
const SITE = { domain: 'preview.example.com', scheme: 'https' } as const;

let runtime: RealRuntime;
let app: Server;
let port = 0;
let seen: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[] = [];
let harness: Harness;
let box: Awaited<ReturnType<Harness['add']>>;

/** A program of the sandbox, as untrusted as any. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '', headers } = request;
  seen.push({ method, url, headers, body: await text(request) });
  if (url === '/redirect') {
    response.writeHead(302, { location: `http://localhost:${port}/there` }).end();
    return;
  }
  if (url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    return;
  }
  const cookies = ['app=1; Domain=preview.example.com; Path=/', '__Host-agenttier-preview=stolen; Path=/'];
  response.writeHead(200, { 'set-cookie': cookies, 'content-type': 'text/html' }).end('<h1>hello</h1>');
}

beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
  app = createServer((request, response) => void serve(request, response));
  const sockets = new WebSocketServer({ server: app });
  sockets.on('connection', (socket, request) => {
    seen.push({ method: 'WS', url: request.url ?? '', headers: request.headers, body: '' });
    socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`));
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  ({ port } = app.address() as AddressInfo);
}, 120_000);
afterAll(async () => {
  app.closeAllConnections();
  app.close();
  await runtime.stop();
});

beforeEach(async () => {
  seen = [];
  harness = await Harness.start({ runtimePort: runtime.port, preview: SITE });
  box = await harness.add({ name: 'box', uid: REAL_UID, spec: { ports: [{ port }] } });
  const scoped = { userId: 'ann', sandboxId: 'box', actionGroups: ['ports'] };
  harness.router.stores.apiKeys.applyWatch(keySecret(SCOPED_KEY, scoped));
});
afterEach(() => harness.stop());

const hostOf = (name = 'box', at = port): string => `${at}--${name}--default.preview.example.com`;
const ownOrigin = (): string => `https://${hostOf()}`;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a browser sends to a preview's host. */
function browse(
  path: string,
  headers: Record<string, string> = {},
  more: { method?: string; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', body } = more;
    const asked = httpRequest(`${harness.url}${path}`, { method, headers: { host: hostOf(), ...headers } });
    asked.once('error', reject);
    asked.once('response', (answer: IncomingMessage) => {
      void text(answer).then((said) =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: said }),
      );
    });
    asked.end(body);
  });
}

async function ticketUrl(key = ANN_KEY, body: unknown = {}): Promise<URL> {
  const path = `/api/v1/sandboxes/box/ports/${port}/preview-tickets`;
  const answer = await harness.call('POST', path, { key, body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return new URL(answer.body.url);
}

/** Comes in as somebody; gives the cookie. */
async function enter(key = ANN_KEY): Promise<string> {
  const url = await ticketUrl(key);
  const answer = await browse(url.pathname + url.search);
  expect(answer.status, answer.body).toBe(303);
  return (answer.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
}

describe('a preview on its own host', () => {
  it('is entered with a ticket, which leaves a cookie for that one host and is good once', async () => {
    const url = await ticketUrl(ANN_KEY, { path: '/app?x=1' });
    expect(url.origin).toBe(ownOrigin());
    const first = await browse(url.pathname + url.search);
    expect(first).toMatchObject({
      status: 303,
      headers: { location: '/app?x=1', 'cache-control': 'no-store' },
    });
    expect(first.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^__Host-agenttier-preview=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/,
      ),
    ]);
    expect(await browse(url.pathname + url.search)).toMatchObject({ status: 401 });
    expect(seen).toEqual([]);
  });

  it('leads nowhere else', async () => {
    for (const to of ['https://evil.example/', '//evil.example/', '/\\evil.example/', 'evil']) {
      const url = await ticketUrl();
      url.searchParams.set('to', to);
      expect((await browse(url.pathname + url.search)).headers.location, to).toBe('/');
    }
  });

  it('hands on what was asked and no credential, and keeps cookies where they belong', async () => {
    const cookie = await enter();
    const answer = await browse(
      '//a/..%2Fb?q=1',
      {
        cookie: `app=1; ${cookie}`,
        authorization: `Bearer ${ANN_KEY}`,
        'x-api-key': ANN_KEY,
        origin: ownOrigin(),
        'x-forwarded-for': '6.6.6.6',
      },
      { method: 'POST', body: 'data' },
    );
    expect(answer).toMatchObject({ status: 200, body: '<h1>hello</h1>' });
    expect(answer.headers['set-cookie']).toEqual(['app=1; Path=/']);
    expect(answer.headers).not.toHaveProperty('x-agenttier-proxied');
    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '//a/..%2Fb?q=1',
        body: 'data',
        headers: {
          host: `localhost:${port}`,
          cookie: 'app=1',
          origin: `http://localhost:${port}`,
          'x-forwarded-host': hostOf(),
          'x-forwarded-proto': 'https',
          'x-forwarded-for': '127.0.0.1',
        },
      },
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/atk_|agenttier-preview|authorization/i);
    expect((await browse('/redirect', { cookie })).headers.location).toBe('/there');
  });

  it('passes WebSockets, from its own pages only', async () => {
    const cookie = await enter();
    const dial = (origin: string): WebSocket =>
      new WebSocket(`${harness.url.replace('http', 'ws')}/hmr`, {
        headers: { host: hostOf(), cookie, origin },
      });
    const socket = dial(ownOrigin());
    const echo = await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('message', (data: Buffer) => resolve(data.toString()));
      socket.once('open', () => socket.send('hello'));
    });
    expect(echo).toBe('echo hello');
    expect(seen).toMatchObject([{ method: 'WS', url: '/hmr', headers: { host: `localhost:${port}` } }]);
    expect(JSON.stringify(seen)).not.toContain('agenttier-preview');
    await expect(refusalOf(dial('https://evil.example'))).resolves.toBe(403);
    // Whoever may no longer be there is not there any longer.
    const closed = new Promise((resolve) => socket.once('close', resolve));
    harness.change(box, { spec: { ...box.spec, createdBy: { sub: 'bob' } } });
    await closed;
  });

  it('is asked by no page of another origin, be it a preview as well', async () => {
    const cookie = await enter();
    const from = (more: Record<string, string>, method = 'GET') =>
      browse('/', { cookie, ...more }, { method });
    const evil = 'https://1234--evil--default.preview.example.com';
    expect(await from({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' })).toMatchObject({
      status: 403,
    });
    expect(await from({ origin: evil }, 'POST')).toMatchObject({ status: 403 });
    expect(await from({ origin: 'null' }, 'POST')).toMatchObject({ status: 403 });
    const leads = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect(await from({ ...leads, 'sec-fetch-dest': 'iframe' })).toMatchObject({ status: 403 });
    expect(seen).toEqual([]);
    expect(await from({ ...leads, 'sec-fetch-dest': 'document' })).toMatchObject({ status: 200 });
  });

  it('is closed to whoever brings nothing, or what is for somewhere else', async () => {
    await harness.add({ name: 'other', spec: { ports: [{ port }] } });
    const cookie = await enter();
    const closed: [name: string, host: string, headers: Record<string, string>][] = [
      ['nothing', hostOf(), {}],
      ['an API key', hostOf(), { 'x-api-key': ANN_KEY }],
      ['a forged cookie', hostOf(), { cookie: `${cookie.slice(0, -4)}AAAA` }],
      ['the cookie of another sandbox', hostOf('other'), { cookie }],
      ['the cookie of another port', hostOf('box', 1234), { cookie }],
      ['no sandbox of that name', hostOf('nobody'), { cookie }],
      ['the domain itself', 'preview.example.com', { cookie }],
    ];
    for (const [name, host, headers] of closed) {
      const answer = await browse('/', { ...headers, host });
      expect(answer.status, name).toBe(401);
      expect(answer.body, name).toContain('not open to you');
    }
    // Nor is the API to be had there.
    expect(await browse('/api/v1/sandboxes', { 'x-api-key': ANN_KEY })).toMatchObject({ status: 401 });
    expect(await browse('/healthz')).toMatchObject({ status: 401 });
    expect(seen).toEqual([]);
  });

  it('ends with the right to it', async () => {
    const shared = { users: [{ identity: 'bob', level: 'collaborator' as const }] };
    harness.change(box, { spec: { ...box.spec, sharing: shared } });
    const cookies = [await enter(BOB_KEY), await enter(SCOPED_KEY)];
    for (const cookie of cookies) expect((await browse('/', { cookie })).status).toBe(200);
    const viewer = { users: [{ identity: 'bob', level: 'viewer' as const }] };
    harness.change(box, { spec: { ...box.spec, sharing: viewer } });
    harness.router.stores.apiKeys.deleteWatch(keySecret(SCOPED_KEY, {}));
    for (const cookie of cookies) expect((await browse('/', { cookie })).status).toBe(401);
  });

  it('ends when the groups of the person no longer open the namespace', async () => {
    const groups = { dev: ['default'], ops: ['elsewhere'] };
    const cookies: string[] = [];
    for (const mapping of [groups, { ...groups, dev: ['elsewhere'] }]) {
      await harness.stop();
      harness = await Harness.start({ runtimePort: runtime.port, preview: SITE, groupNamespaces: mapping });
      box = await harness.add({ name: 'box', uid: REAL_UID, spec: { ports: [{ port }] } });
      const record = { userId: 'ann', groups: ['dev'] };
      harness.router.stores.apiKeys.applyWatch(keySecret(GROUP_KEY, record));
      if (cookies.length === 0) cookies.push(await enter(GROUP_KEY));
      const [cookie = ''] = cookies;
      expect((await browse('/', { cookie })).status).toBe(mapping === groups ? 200 : 401);
    }
  });

  it.each([
    ['the key', () => harness.router.stores.apiKeys.deleteWatch(keySecret(SCOPED_KEY, {}))],
    ['the forward', () => void harness.change(box, { spec: { ...box.spec, ports: [] } })],
  ])('ends answers and WebSockets that are open with %s', async (_what, take) => {
    const cookie = await enter(SCOPED_KEY);
    const socket = new WebSocket(`${harness.url.replace('http', 'ws')}/hmr`, {
      headers: { host: hostOf(), origin: ownOrigin(), cookie },
    });
    const ended = [new Promise((resolve) => socket.once('close', resolve))];
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const events = httpRequest(`${harness.url}/events`, { headers: { host: hostOf(), cookie } }).end();
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      events.once('response', resolve).once('error', reject),
    );
    ended.push(new Promise((resolve) => answer.once('close', resolve).on('error', () => {})));
    answer.resume();
    expect(answer.statusCode).toBe(200);
    take();
    await Promise.all(ended);
  });

  it('says what is wrong: not forwarded any longer, nobody listening, not running', async () => {
    const cookie = await enter();
    harness.change(box, { spec: { ...box.spec, ports: [] } });
    expect(await browse('/', { cookie })).toMatchObject({
      status: 404,
      body: `port ${port} is not forwarded\n`,
    });
    harness.change(box, { spec: { ...box.spec, ports: [{ port, protocol: 'https' }] } });
    const spoken = await browse('/', { cookie });
    expect(spoken).toMatchObject({ status: 502, body: expect.stringContaining(`port ${port}`) });
    expect(spoken.headers['content-type']).toContain('text/plain');
    harness.change(box, {
      status: { ...box.status, phase: 'Stopped' },
      spec: { ...box.spec, desiredState: 'Stopped' },
    });
    expect(await browse('/', { cookie })).toMatchObject({ status: 409 });
  });
});

/** The status with which a WebSocket is refused. */
const refusalOf = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => {
    socket.on('error', () => {});
    socket.once('unexpected-response', (_request, answer) => {
      resolve(answer.statusCode ?? 0);
      socket.terminate();
    });
  });

describe('a preview below the path of the API', () => {
  const path = (rest = '', name = 'box') => `/api/v1/sandboxes/${name}/preview/${port}${rest}`;

  it('hands on what was asked, without the credential, and cages what comes back', async () => {
    const headers = { cookie: 'dashboard=1', authorization: 'Bearer x' };
    const answer = await harness.call('PUT', path('/a/b%20c?q=1'), { body: 'data', headers });
    expect(answer).toMatchObject({ status: 200, body: '<h1>hello</h1>' });
    expect(answer.headers.get('content-security-policy')).toBe('sandbox');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(seen).toMatchObject([
      { method: 'PUT', url: '/a/b%20c?q=1', body: 'data', headers: { 'x-forwarded-prefix': path() } },
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/atk_|dashboard|authorization/i);
    for (const root of [path(), path('/')]) expect((await harness.call('GET', root)).status).toBe(200);
    expect(seen.slice(1).map(({ url }) => url)).toEqual(['/', '/']);
  });

  it('passes WebSockets of programs that bring a credential', async () => {
    const open = (headers: Record<string, string>) =>
      new WebSocket(`${harness.url.replace('http', 'ws')}${path('/hmr')}`, { headers });
    const socket = open({ 'x-api-key': ANN_KEY });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    expect(seen).toMatchObject([{ method: 'WS', url: '/hmr' }]);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    harness.change(box, { spec: { ...box.spec, ports: [] } });
    await closed;
    harness.change(box, { spec: { ...box.spec, ports: [{ port }] } });
    expect(await refusalOf(open({}))).toBe(401);
    expect(await refusalOf(open({ 'x-api-key': BOB_KEY }))).toBe(404);
    expect(await refusalOf(open({ 'x-api-key': ANN_KEY, origin: 'https://evil.example' }))).toBe(403);
  });

  it('is the same over the API server, where the runtime’s port is closed', async () => {
    const podExec = await FakePodExec.start();
    podExec.onExec = relayInto(runtime);
    const other = await Harness.start({ runtimePort: 1, preview: SITE }, { apiServer: podExec.url });
    try {
      await other.add({ name: 'box', uid: REAL_UID, spec: { ports: [{ port }] } });
      const page = await other.call('GET', path('/a%2Fb?x=1;y=%zz'));
      expect(page).toMatchObject({ status: 200, body: '<h1>hello</h1>' });
      expect(seen).toMatchObject([{ method: 'GET', url: '/a%2Fb?x=1;y=%zz' }]);
      expect(JSON.stringify(seen)).not.toMatch(/atk_|authorization/i);
      const socket = new WebSocket(`${other.url.replace('http', 'ws')}${path('/hmr')}`, {
        headers: { 'x-api-key': ANN_KEY },
      });
      const echo = await new Promise((resolve, reject) => {
        socket.once('error', reject);
        socket.once('message', (data: Buffer) => resolve(data.toString()));
        socket.once('open', () => socket.send('hello'));
      });
      expect(echo).toBe('echo hello');
      socket.terminate();
      expect(await other.call('GET', '/api/v1/sandboxes/box/ports/listening')).toMatchObject({ status: 200 });
    } finally {
      await other.stop();
      await podExec.close();
    }
  });

  it('is for whoever may enter the sandbox, and for keys of this one', async () => {
    await harness.add({ name: 'other', spec: { ports: [{ port }] } });
    expect(await harness.call('GET', path(), { key: BOB_KEY })).toMatchObject({ status: 404 });
    expect(await harness.call('GET', path(), { key: '' })).toMatchObject({ status: 401 });
    expect(await harness.call('GET', path(), { key: SCOPED_KEY })).toMatchObject({ status: 200 });
    expect(await harness.call('GET', path('', 'other'), { key: SCOPED_KEY })).toMatchObject({ status: 403 });
  });

  it('goes to forwarded ports only, never to the runtime', async () => {
    const at = (number: number | string) =>
      harness.call('GET', `/api/v1/sandboxes/box/preview/${number}/version`);
    expect(await at(1234)).toMatchObject({ status: 404, body: { error: 'port 1234 is not forwarded' } });
    expect(await at(runtime.port)).toMatchObject({ status: 404 });
    expect(await at('80@example.com')).toMatchObject({ status: 400 });
    harness.change(box, { spec: { ...box.spec, ports: [{ port: runtime.port }] } });
    expect(await at(runtime.port)).toMatchObject({ status: 502 });
  });

  it('wakes a sandbox that sleeps, where its owner allows that', async () => {
    const asleep = await harness.add({ name: 'asleep', phase: 'Stopped', spec: { ports: [{ port }] } });
    expect(await harness.call('GET', path('', 'asleep'))).toMatchObject({ status: 409 });
    const spec = { ...asleep.spec, autoResume: true, desiredState: 'Stopped' as const };
    harness.change(asleep, { spec });
    void harness.call('GET', path('', 'asleep')).catch(() => {});
    await until(
      () =>
        harness.calls.some(
          ({ method, given }) => method === 'patch' && JSON.stringify(given).includes('Running'),
        ),
      'the sandbox to be woken',
    );
  });
});
