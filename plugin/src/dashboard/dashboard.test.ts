// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { json, list, status } from '@agenttier/machinery/testing/scriptedServer';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type FakeHost, fakeHost, type PluginRun, runWith } from '../testing/fakeHost.ts';
import { scriptedCluster } from '../testing/scriptedCluster.ts';

/** A router with a page, an echo, events, tickets and a terminal. */
class FakeRouter {
  readonly seen: IncomingMessage[] = [];
  readonly server: Server;
  mode = 'keys';

  constructor() {
    const sockets = new WebSocketServer({ noServer: true });
    this.server = createServer((message, response) => {
      this.seen.push(message);
      const path = message.url?.split('?')[0];
      if (path === '/api/v1/auth/config') response.end(JSON.stringify({ mode: this.mode }));
      else if (path === '/api/v1/events/stream') response.writeHead(200).flushHeaders();
      else if (path?.endsWith('/terminal-tickets')) response.writeHead(201).end('{"ticket":"t1"}');
      else if (path?.startsWith('/api/')) {
        response.writeHead(200, { 'set-cookie': 'a=b', 'access-control-allow-origin': '*', etag: '"1"' });
        message.pipe(response);
      } else response.end('<p>page</p>');
    });
    this.server.on('upgrade', (message, socket, head) => {
      this.seen.push(message);
      sockets.handleUpgrade(message, socket, head, (client) =>
        client.on('message', (data) => client.send(data)),
      );
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
}

let router: FakeRouter;
let host: FakeHost;
let running: Promise<PluginRun>;
let link: URL;

beforeEach(async () => {
  router = new FakeRouter();
  router.server.listen(0, '127.0.0.1');
  await once(router.server, 'listening');
});
afterEach(async () => {
  host.interrupt.abort();
  await running;
  router.server.closeAllConnections();
  router.server.close();
});

const lastLink = (): URL => new URL(host.streams.out.text.trim().split('\n').at(-1) ?? '');

async function start(): Promise<void> {
  host = fakeHost({
    variables: { AGENTTIER_API_URL: `http://127.0.0.1:${router.port}`, AGENTTIER_API_KEY: 'atk_real' },
  });
  running = runWith(host, 'dashboard', '--no-browser');
  await until(() => host.streams.out.text.includes('\n'), 'the link');
  link = lastLink();
}

/** Opens a link as a browser does, and answers the key that its page keeps. */
async function open(): Promise<string> {
  const page = await fetch(link);
  expect(page.status).toBe(200);
  return /setItem\("agenttier-api-key", "([^"]+)"\)/.exec(await page.text())?.[1] ?? '';
}
const at = (path: string): URL => new URL(path, link);

describe('kubectl agenttier dashboard', () => {
  it('passes requests on with the credential that the browser never sees', async () => {
    await start();
    const key = await open();
    expect(key).not.toContain('atk_');
    const body = 'x'.repeat(300_000);
    const headers = { 'X-API-Key': key, Cookie: 'other=1', Origin: link.origin, 'If-Match': '"0"' };
    const answer = await fetch(at('/api/v1/echo?a=b'), { method: 'POST', body, headers });
    expect(await answer.text()).toBe(body);
    expect([answer.headers.get('etag'), answer.headers.get('set-cookie')]).toEqual(['"1"', null]);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const { url, headers: seen } = router.seen.at(-1) as IncomingMessage;
    expect(url).toBe('/api/v1/echo?a=b');
    expect(seen).toMatchObject({
      'x-api-key': 'atk_real',
      host: `127.0.0.1:${router.port}`,
      'if-match': '"0"',
    });
    expect([seen.cookie, seen.origin]).toEqual([undefined, undefined]);
    expect(await (await fetch(at('/sandboxes/x'))).text()).toBe('<p>page</p>');
    expect(router.seen.at(-1)?.headers['x-api-key']).toBeUndefined();
    expect(host.streams.out.text + host.streams.err.text).not.toContain('atk_real');
  });

  it('is closed to whoever has no key, and to rebound names', async () => {
    await start();
    expect((await fetch(at('/api/v1/user/me'))).status).toBe(401);
    const key = await open();
    const rebound = request(at('/api/v1/user/me'), {
      headers: { host: 'evil.example', 'x-api-key': key },
    }).end();
    const [answer] = (await once(rebound, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(421);
    expect(await text(answer)).toContain('goes by no other name');
    expect(router.seen.map(({ url }) => url)).toEqual(['/api/v1/auth/config']);
  });

  it('opens once; a second use closes what the first has opened, and Enter makes another link', async () => {
    await start();
    const key = await open();
    const mine = { headers: { 'X-API-Key': key } };
    const events = await fetch(at('/api/v1/events/stream'), mine);
    expect(events.status).toBe(200);
    const reused = await fetch(link);
    expect([reused.status, (await reused.text()).includes('has been used')]).toEqual([410, true]);
    await expect(events.text()).rejects.toThrow();
    expect((await fetch(at('/api/v1/user/me'), mine)).status).toBe(401);
    expect(host.streams.err.text).toMatch(/^warning: a link was opened a second time/);
    host.streams.in.write('\n');
    await until(() => lastLink().href !== link.href, 'another link');
    link = lastLink();
    expect((await fetch(at('/api/v1/x'), { headers: { 'X-API-Key': await open() } })).status).toBe(200);
    expect((await fetch(new URL('/.agenttier/open?token=guess', link))).status).toBe(410);
    expect((await fetch(link, { headers: { 'Sec-Purpose': 'prefetch' } })).status).toBe(503);
  });

  it('passes sockets on by tickets that came through it', async () => {
    await start();
    const headers = { 'X-API-Key': await open() };
    const url = `${link.origin.replace('http', 'ws')}/ws/terminal/x?ticket=t1`;
    const early = new WebSocket(url, { origin: link.origin });
    const [, refused] = (await once(early, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(refused.statusCode).toBe(403);
    await fetch(at('/api/v1/sandboxes/x/terminal-tickets'), { method: 'POST', headers });
    const socket = new WebSocket(url, { origin: link.origin });
    await once(socket, 'open');
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('hello');
    expect(router.seen.at(-1)?.headers.origin).toBeUndefined();
    host.interrupt.abort();
    await once(socket, 'close');
    expect(await running).toMatchObject({ code: 130 });
    await expect(fetch(at('/'))).rejects.toThrow();
  });

  it('says that there is no router, and that a port is taken', async () => {
    await start();
    const variables = { AGENTTIER_API_URL: 'http://127.0.0.1:1', AGENTTIER_API_KEY: 'atk_real' };
    expect((await runWith(fakeHost({ variables }), 'dashboard')).err).toMatch(
      /^error: unable to reach the router at /,
    );
    const known = { ...variables, AGENTTIER_API_URL: `http://127.0.0.1:${router.port}` };
    const taken = await runWith(fakeHost({ variables: known }), 'dashboard', '--port', link.port);
    expect(taken).toMatchObject({ code: 1, err: expect.stringContaining('EADDRINUSE') });
    expect((await runWith(fakeHost({ variables: known }), 'dashboard', '--port', 'x')).code).toBe(2);
    router.server.closeAllConnections();
    const key = await open();
    router.server.close();
    const gone = await fetch(at('/api/v1/x'), { headers: { 'X-API-Key': key } });
    expect([gone.status, await gone.text()]).toEqual([502, expect.stringContaining('cannot be reached')]);
  });
});

describe('through the API server', () => {
  const cluster = scriptedCluster();
  const SECRETS = '/api/v1/namespaces/agenttier/secrets';
  const pod = (name: string, ready: string) => ({
    metadata: { name },
    spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  });

  beforeEach(() => {
    cluster.server
      .on('GET', '/api/v1/namespaces/agenttier/pods', list([pod('old', 'False'), pod('router-1', 'True')]))
      .on('POST', /selfsubjectreviews$/, json({ status: { userInfo: { username: 'jane', groups: [] } } }))
      .on('POST', /selfsubjectaccessreviews$/, json({ status: { allowed: true } }))
      .on('DELETE', new RegExp(SECRETS), json({}));
    // The kubelet's side of port-forwards, which leads to the router.
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' });
    cluster.server.server.on('upgrade', (message, socket, head) => {
      expect(message.url).toBe('/api/v1/namespaces/agenttier/pods/router-1/portforward?ports=8080');
      sockets.handleUpgrade(message, socket, head, (client) => {
        for (const channel of [0, 1]) client.send(Buffer.of(channel, 0x90, 0x1f));
        const near = connect(router.port, '127.0.0.1');
        near.on('data', (data) => client.send(Buffer.concat([Buffer.of(0), data])));
        near.on('close', () => client.close());
        near.on('error', () => client.close());
        client.on('message', (data: Buffer) => near.write(data.subarray(1)));
        client.on('close', () => near.destroy());
      });
    });
  });

  async function startHere(): Promise<void> {
    host = cluster.host();
    running = cluster.runOn(host, 'dashboard', '--no-browser');
    await until(() => host.streams.out.text.includes('\n') || host.streams.err.text !== '', 'the link');
  }

  it('is who the kubeconfig says, by a key that ends with the command', async () => {
    cluster.server.on('POST', SECRETS, json({}, 201));
    await startHere();
    link = lastLink();
    const answer = await fetch(at('/api/v1/user/me'), {
      method: 'POST',
      body: 'hi',
      headers: { 'X-API-Key': await open() },
    });
    expect(await answer.text()).toBe('hi');
    const key = router.seen.at(-1)?.headers['x-api-key'];
    const { metadata, stringData } = JSON.parse(cluster.server.requestsTo(SECRETS)[0]?.body ?? '');
    const keyHash = createHash('sha256').update(String(key)).digest('hex');
    expect(metadata).toMatchObject({
      name: `agenttier-apikey-${keyHash.slice(0, 40)}`,
      labels: { 'agenttier.io/secret-purpose': 'api-key', 'agenttier.io/api-key-user': 'jane' },
    });
    expect(stringData.keyHash).toBe(keyHash);
    expect(JSON.parse(stringData.record)).toMatchObject({
      userId: 'jane',
      isAdmin: true,
      expiresAt: expect.any(String),
    });
    expect(JSON.stringify(stringData)).not.toContain(key);
    host.interrupt.abort();
    expect((await running).code).toBe(130);
    expect(cluster.server.requestsTo(`${SECRETS}/${metadata.name}`).map(({ method }) => method)).toEqual([
      'DELETE',
    ]);
  });

  it('passes sockets on both ways', async () => {
    router.mode = 'dev';
    await startHere();
    link = lastLink();
    const headers = { 'X-API-Key': await open() };
    await fetch(at('/api/v1/sandboxes/x/terminal-tickets'), { method: 'POST', headers });
    const url = `${link.origin.replace('http', 'ws')}/ws/terminal/x?ticket=t1`;
    const socket = new WebSocket(url, { origin: link.origin });
    await once(socket, 'open');
    for (const text of ['one', 'two', 'x'.repeat(200_000)]) {
      socket.send(text);
      expect(String((await once(socket, 'message'))[0])).toBe(text);
    }
    host.interrupt.abort();
    await Promise.all([running, once(socket, 'close')]);
  });

  it('says what to do for those who may make no key', async () => {
    cluster.server.on('POST', SECRETS, status(403, { reason: 'Forbidden', message: 'no' }));
    await startHere();
    expect(await running).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: jane may not create Secrets .*login/),
    });
  });

  it('makes none where everybody is let in', async () => {
    router.mode = 'dev';
    await startHere();
    link = lastLink();
    expect((await fetch(at('/api/v1/user/me'))).status).toBe(401);
    expect(cluster.server.requestsTo(SECRETS)).toEqual([]);
    expect((await buffer((await fetch(at('/'))).body as never)).toString()).toBe('<p>page</p>');
  });
});
