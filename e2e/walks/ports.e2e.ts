// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { DEV_SERVER } from './devServer.ts';
import {
  apiKey,
  apiUrl,
  apply,
  getJson,
  kubectl,
  minimalSandbox,
  ok,
  rest,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';

const PORT = 3000;
const OTHER_KEY = `atk_walk-of-ports-${Date.now().toString(36)}-0123456789`;
const OTHER_SECRET = `agenttier-apikey-${createHash('sha256').update(OTHER_KEY).digest('hex').slice(0, 40)}`;

/** A key of somebody who has nothing to do with the sandbox. */
async function storeOtherKey(): Promise<void> {
  const keyHash = createHash('sha256').update(OTHER_KEY).digest('hex');
  const record = JSON.stringify({ keyHash, userId: 'walk-stranger', email: '', name: 'walk' });
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: OTHER_SECRET, labels: { 'agenttier.io/secret-purpose': 'api-key' } },
    stringData: { keyHash, record },
  };
  await ok(kubectl(['apply', '-n', 'agenttier', '-f', '-'], { stdin: JSON.stringify(secret) }));
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a browser sends to a preview's host: the router's address, and that name. */
function browse(url: URL, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const target = new URL(url.pathname + url.search, apiUrl);
    const asked = httpRequest(target, { headers: { host: url.host, ...headers } });
    asked.once('error', reject);
    asked.once('response', (answer: IncomingMessage) => {
      const { statusCode: status = 0 } = answer;
      text(answer).then((body) => resolve({ status, headers: answer.headers, body }), reject);
    });
    asked.end();
  });
}

describe('ports and previews', () => {
  const namespace = walkNamespace('walk-ports');
  const at = (verb: string): string => `/sandboxes/dev${verb}?namespace=${namespace()}`;
  let origin = '';
  let cookie = '';
  let server = '';
  afterAll(() => kubectl(['delete', 'secret', OTHER_SECRET, '-n', 'agenttier', '--ignore-not-found']));

  it('runs a dev server in a sandbox, with nobody waiting for it', async () => {
    await storeOtherKey();
    await ok(apply(minimalSandbox('dev'), namespace()));
    await untilPhase('dev', namespace(), 'Running');
    const begun = await rest('POST', at('/exec'), {
      command: ['perl', '-e', DEV_SERVER, String(PORT), '/tmp/seen'],
      detach: true,
    });
    expect(begun.status, JSON.stringify(begun.body)).toBe(202);
    server = begun.body.execId;
    await until('the server to listen', async () => {
      const { body } = await rest('GET', at('/ports/listening'));
      return body.ports?.some(
        ({ port, command }: { port: number; command?: string }) => port === PORT && command === 'perl',
      );
    });
    expect((await rest('GET', at('/stats'))).body).toMatchObject({
      workspace: { total: expect.any(Number) },
    });
  });

  it('forwards its port, which kubectl sees, with no Service or hole in the network policy', async () => {
    const policy = async () => (await getJson(['networkpolicy', '-n', namespace()])).items[0].spec;
    const before = await policy();
    expect((await rest('GET', `/sandboxes/dev/preview/${PORT}/?namespace=${namespace()}`)).status).toBe(404);
    const { status, body } = await rest('POST', at('/ports'), { port: PORT });
    expect(status, JSON.stringify(body)).toBe(201);
    origin = new URL(body.previewUrl).origin;
    expect(new URL(origin).hostname).toMatch(new RegExp(`^${PORT}--dev--${namespace()}\\.`));
    expect((await getJson(['sandbox', 'dev', '-n', namespace()])).spec.ports).toEqual([
      { port: PORT, protocol: 'http' },
    ]);
    expect(await policy()).toEqual(before);
    expect((await getJson(['services', '-n', namespace()])).items).toEqual([]);
  });

  it('lets a browser in with a ticket, once, on whichever replica', async () => {
    const { body } = await rest('POST', at(`/ports/${PORT}/preview-tickets`), { path: '/start?a=1' });
    const entered = await browse(new URL(body.url));
    expect(entered, entered.body).toMatchObject({ status: 303, headers: { location: '/start?a=1' } });
    cookie = (entered.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
    for (let turn = 0; turn < 6; turn++) expect((await browse(new URL(body.url))).status).toBe(401);
  });

  it('shows the program the request, and no credential', async () => {
    const headers = { cookie: `${cookie}; app=1`, authorization: `Bearer ${apiKey}`, 'x-api-key': apiKey };
    const page = await browse(new URL('/start?a=1', origin), headers);
    expect(page.status, page.body).toBe(200);
    expect(page.body).toMatch(/^GET \/start\?a=1 HTTP\/1.1/);
    expect(page.body).toMatch(new RegExp(`^Host: localhost:${PORT}\\r$`, 'mi'));
    expect(page.body).toMatch(/^Cookie: app=1\r$/im);
    expect(page.headers['set-cookie']).toEqual(['app=1']);
  });

  it('echoes over a WebSocket, as hot reload needs it', async () => {
    const socket = new WebSocket(apiUrl.replace(/^http/, 'ws') + '/hmr', {
      headers: { host: new URL(origin).host, cookie, origin },
    });
    const echo = await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('message', (data: Buffer) => resolve(data.toString()));
      socket.once('open', () => socket.send('hello'));
    });
    expect(echo).toBe('echo hello');
    socket.close();
  });

  it('is closed to strangers and to other people', async () => {
    expect((await browse(new URL('/', origin))).status).toBe(401);
    expect((await browse(new URL('/', origin), { 'x-api-key': apiKey })).status).toBe(401);
    const other = { 'X-API-Key': OTHER_KEY };
    const path = `${apiUrl}/api/v1/sandboxes/dev/preview/${PORT}/?namespace=${namespace()}`;
    const ask = (headers: Record<string, string>) => fetch(path, { headers }).then(({ status }) => status);
    expect([await ask({}), await ask(other), await ask({ 'X-API-Key': apiKey })]).toEqual([401, 404, 200]);
    const tickets = `${apiUrl}/api/v1${at(`/ports/${PORT}/preview-tickets`)}`;
    expect((await fetch(tickets, { method: 'POST', headers: other })).status).toBe(404);
    const { body } = await rest('POST', at('/exec'), { command: 'cat /tmp/seen' });
    expect(body.stdout).toContain('GET /start?a=1');
    expect(body.stdout).not.toMatch(/atk_|authorization|x-api-key|agenttier-preview/i);
  });

  it('is the same over the API server, where the runtime cannot be spoken to', async () => {
    const operator = ['--as', 'system:serviceaccount:agenttier:agenttier-operator'];
    const nonce = ['annotate', 'pod', 'dev-pod', '-n', namespace()];
    const pod = await getJson(['pod', 'dev-pod', '-n', namespace()]);
    const before = pod.metadata.annotations['agenttier.io/token-nonce'] as string;
    const listening = at('/ports/listening');
    const page = `${apiUrl}/api/v1/sandboxes/dev/preview/${PORT}/over?namespace=${namespace()}`;
    await ok(kubectl([...nonce, 'agenttier.io/token-nonce-', ...operator]));
    try {
      expect((await rest('GET', listening)).status).toBe(200);
      const answer = await fetch(page, { headers: { 'X-API-Key': apiKey } });
      expect(answer.status).toBe(200);
      await answer.text();
      const socket = new WebSocket(page.replace(/^http/, 'ws').replace('/over', '/hmr'), {
        headers: { 'X-API-Key': apiKey },
      });
      const echo = await new Promise((resolve, reject) => {
        socket.once('error', reject);
        socket.once('message', (data: Buffer) => resolve(data.toString()));
        socket.once('open', () => socket.send('hello'));
      });
      expect(echo).toBe('echo hello');
      socket.terminate();
    } finally {
      await ok(kubectl([...nonce, `agenttier.io/token-nonce=${before}`, ...operator]));
    }
  });

  it('streams a command that takes longer than clients wait for headers', async () => {
    const answer = await fetch(`${apiUrl}/api/v1${at('/exec')}`, {
      method: 'POST',
      headers: { 'X-API-Key': apiKey, Accept: 'text/event-stream' },
      body: JSON.stringify({ command: 'echo begun; sleep 5.5; echo done' }),
    });
    const events = await answer.text();
    expect(events).toMatch(/"begun\\n"[^]*"done\\n"[^]*event: exit\ndata: {"exitCode":0/);
  });

  it('ends the server, and with the forward the preview', async () => {
    expect((await rest('DELETE', at(`/exec/${server}`))).status).toBe(204);
    expect((await browse(new URL('/', origin), { cookie })).status).toBe(502);
    expect((await rest('DELETE', at(`/ports/${PORT}`))).status).toBe(204);
    await until('every replica to know', async () => {
      const statuses = await Promise.all([1, 2, 3, 4].map(() => browse(new URL('/', origin), { cookie })));
      return statuses.every(({ status }) => status === 404);
    });
  });
});
