// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cut, json, list, ScriptedServer, silence, status } from '../testing/scriptedServer.ts';
import type { Reply } from '../testing/scriptedServer.ts';
import { createKubeClient } from './client.ts';
import type { KubeClient } from './client.ts';
import { KubeError } from './errors.ts';
import { NODES, PODS } from './resource.ts';

let server: ScriptedServer;
let client: KubeClient;

beforeEach(async () => {
  server = await ScriptedServer.start();
  client = createKubeClient(server.access({ token: () => Promise.resolve('secret-token') }), {
    random: () => 0,
  });
});
afterEach(async () => {
  await client.close();
  await server.close();
});

const POD = '/api/v1/namespaces/ns/pods/a';
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'ns', resourceVersion: '7' } };
const getPod = () => client.get(PODS, { namespace: 'ns', name: 'a' });

const merge = () => client.patch(PODS, { namespace: 'ns', name: 'a' }, { type: 'merge', body: {} });
const jsonPatch = () => client.patch(PODS, { namespace: 'ns', name: 'a' }, { type: 'json', body: [] });
const item = (name: string) => ({ metadata: { name } });

const failure = async (promise: Promise<unknown>): Promise<KubeError> => {
  const error: unknown = await promise.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubeError)) throw error;
  return error;
};

describe('repetition', () => {
  const ok = json(pod);
  const update = () => client.update(PODS, pod);
  const apply = () => client.apply(PODS, pod, { fieldManager: 'test' });
  const create = () => client.create(PODS, 'ns', pod);

  const cases: [string, () => Promise<unknown>, Reply[], number, 'works' | number][] = [
    ['a read after 429', getPod, [status(429, { retryAfter: '0' }), ok], 2, 'works'],
    ['a read after 503', getPod, [status(503), status(503), ok], 3, 'works'],
    ['a replace after 429', update, [status(429, { retryAfter: '0' }), ok], 2, 'works'],
    ['an apply after 503', apply, [status(503), ok], 2, 'works'],
    ['a merge patch after 503', merge, [status(503), ok], 2, 'works'],
    ['a read after a cut', getPod, [cut, ok], 2, 'works'],
    ['a read after two cuts', getPod, [cut, cut, ok], 2, 0],
    ['a create after 429', create, [status(429, { retryAfter: '0' }), ok], 1, 429],
    ['a JSON patch after 503', jsonPatch, [status(503), ok], 1, 503],
    ['a create after a cut', create, [cut, ok], 1, 0],
    ['a read after 500', getPod, [status(500), ok], 1, 500],
    ['a read that is refused for ever', getPod, [status(503)], 4, 503],
    ['a read told to come back much later', getPod, [status(429, { retryAfter: '60' }), ok], 1, 429],
  ];

  it.each(cases)('%s', async (_name, call, replies, requests, outcome) => {
    server.on('*', /pods/, ...replies);
    if (outcome === 'works') await expect(call()).resolves.toMatchObject({ metadata: { name: 'a' } });
    else expect((await failure(call())).status).toBe(outcome);
    expect(server.requests).toHaveLength(requests);
  });

  it('waits as long as Retry-After says', async () => {
    server.on('GET', POD, status(429, { retryAfter: '1' }), ok);
    const startedAt = performance.now();
    await getPod();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
  });

  it('does not start a wait that would outlast the call', async () => {
    server.on('GET', POD, status(429, { retryAfter: '5' }), ok);
    const error = await failure(client.get(PODS, { namespace: 'ns', name: 'a' }, { timeoutMs: 300 }));
    expect(error).toMatchObject({ status: 429, retryAfterMs: 5000 });
  });
});

describe('failures', () => {
  it('carries the Status with its causes', async () => {
    const causes = [{ reason: 'max_cpu', field: 'spec.resources.limits.cpu', message: 'too much' }];
    server.on('POST', /pods/, status(422, { reason: 'Invalid', message: 'no', causes }));
    const error = await failure(client.create(PODS, 'ns', pod));
    expect(error).toMatchObject({ status: 422, reason: 'Invalid', message: 'no' });
    expect(error.body?.details?.causes).toEqual(causes);
  });

  it('makes sense of an answer that is no Status', async () => {
    server.on('GET', POD, (response) => void response.writeHead(502).end('<h1>Bad Gateway</h1>'));
    expect(await failure(getPod())).toMatchObject({
      status: 502,
      reason: 'Unknown',
      message: '<h1>Bad Gateway</h1>',
    });
  });

  it('reports silence as a network error within the time limit', async () => {
    server.on('GET', POD, silence);
    const error = await failure(client.get(PODS, { namespace: 'ns', name: 'a' }, { timeoutMs: 100 }));
    expect(error).toMatchObject({ status: 0, reason: 'NetworkError' });
    expect(error.message).toContain('no answer within 100 ms');
  });

  it('reports a body that is cut or no JSON as a network error', async () => {
    server.on('GET', POD, (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' });
      response.write('{"kind":"Po');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await failure(getPod())).toMatchObject({ status: 0, reason: 'NetworkError' });
  });

  it('reports a server that is away', async () => {
    const gone = server.access();
    await server.close();
    const lonely = createKubeClient(gone);
    expect(await failure(lonely.get(NODES, { name: 'n' }))).toMatchObject({
      status: 0,
      reason: 'NetworkError',
    });
    await lonely.close();
    server = await ScriptedServer.start();
  });

  it('never tells the token', async () => {
    server.on('GET', POD, cut);
    const error = await failure(getPod());
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('secret-token');
  });

  it('rejects with the reason of the signal, not with a KubeError', async () => {
    server.on('GET', POD, silence);
    const stop = new AbortController();
    const call = client.get(PODS, { namespace: 'ns', name: 'a' }, { signal: stop.signal });
    await server.received(1);
    const reason = new Error('shutting down');
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  it('refuses keys that would address a whole collection', async () => {
    await expect(client.delete(PODS, { namespace: 'ns', name: '' })).rejects.toThrow(/name is required/);
    await expect(client.get(PODS, { name: 'a' })).rejects.toThrow(/namespace is required/);
    expect(server.requests).toHaveLength(0);
  });
});

describe('on the wire', () => {
  it('sends the token, and each impersonated group as its own header', async () => {
    server.on('GET', POD, json(pod));
    const impersonate = {
      user: 'agenttier:zoë',
      groups: ['agenttier:users', 'agenttier:admins', 'system:authenticated'],
      extra: { 'agenttier.io/email': ['z@example.org'] },
    };
    await client.get(PODS, { namespace: 'ns', name: 'a' }, { impersonate });
    const [request] = server.requests;
    const raw = request?.rawHeaders ?? [];
    const sent = raw.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), raw[i + 1]]] : []));
    expect(sent.filter(([name]) => name === 'impersonate-group')).toEqual([
      ['impersonate-group', 'agenttier:users'],
      ['impersonate-group', 'agenttier:admins'],
      ['impersonate-group', 'system:authenticated'],
    ]);
    expect(Buffer.from(String(request?.headers['impersonate-user']), 'latin1').toString('utf8')).toBe(
      'agenttier:zoë',
    );
    expect(request?.headers['impersonate-extra-agenttier.io%2femail']).toBe('z@example.org');
    expect(request?.headers.authorization).toBe('Bearer secret-token');
  });

  it.each(['a\r\nImpersonate-Group: system:masters', 'a\nb', 'a\0b'])('refuses the user %j', async (user) => {
    await expect(client.get(NODES, { name: 'n' }, { impersonate: { user } })).rejects.toThrow(TypeError);
    expect(server.requests).toHaveLength(0);
  });

  it('asks for the token before every request', async () => {
    let tokens = 0;
    const own = createKubeClient(server.access({ token: () => Promise.resolve(`t${++tokens}`) }));
    server.on('GET', POD, json(pod));
    await own.get(PODS, { namespace: 'ns', name: 'a' });
    await own.get(PODS, { namespace: 'ns', name: 'a' });
    expect(server.requests.map((request) => request.headers.authorization)).toEqual([
      'Bearer t1',
      'Bearer t2',
    ]);
    await own.close();
  });

  it('keeps a path in front of the API', async () => {
    const proxied = createKubeClient({
      ...server.access(),
      server: `${server.access().server}/k8s/clusters/c-1/`,
    });
    server.on('GET', /./, json(pod));
    await proxied.get(PODS, { namespace: 'ns', name: 'a' });
    expect(server.requests[0]?.path).toBe(`/k8s/clusters/c-1${POD}`);
    await proxied.close();
  });

  it('reuses its connections', async () => {
    server.on('GET', POD, json(pod));
    let connections = 0;
    server.server.on('connection', () => connections++);
    for (let i = 0; i < 20; i++) await getPod();
    // Two, since a socket may be free only just after its answer was handed over.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('hands each warning on, unescaped', async () => {
    const warning = ['299 - "first \\"quoted\\" one"', '299 - "second, with comma"'];
    server.on('GET', POD, json(pod, 200, { warning }));
    const warnings: string[] = [];
    await client.get(PODS, { namespace: 'ns', name: 'a' }, { onWarning: (text) => warnings.push(text) });
    expect(warnings).toEqual(['first "quoted" one', 'second, with comma']);
  });

  it('sends writes with their parameters', async () => {
    server.on('*', /pods/, json(pod));
    await client.apply(
      PODS,
      { metadata: { name: 'a', namespace: 'ns' } },
      {
        fieldManager: 'agenttier-operator',
        force: true,
        subresource: 'status',
        dryRun: true,
      },
    );
    await client.delete(
      PODS,
      { namespace: 'ns', name: 'a' },
      { preconditions: { uid: 'u' }, gracePeriodSeconds: 0 },
    );
    const [applied, deleted] = server.requests;
    expect(applied).toMatchObject({ method: 'PATCH', path: `${POD}/status` });
    expect(Object.fromEntries(applied?.query ?? [])).toEqual({
      fieldManager: 'agenttier-operator',
      force: 'true',
      dryRun: 'All',
    });
    expect(applied?.headers['content-type']).toBe('application/apply-patch+yaml');
    expect(JSON.parse(applied?.body ?? '')).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
    expect(JSON.parse(deleted?.body ?? '')).toMatchObject({
      preconditions: { uid: 'u' },
      gracePeriodSeconds: 0,
    });
  });
});

describe('list', () => {
  const PATH = '/api/v1/pods';
  it('follows continue tokens', async () => {
    server.on('GET', PATH, list([item('a')], '5', { continue: 'next' }), list([item('b')], '5'));
    const result = await client.list(PODS, { labelSelector: 'x=y' });
    expect(result.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(result.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
    expect(
      server.requests.map(({ query }) => [
        query.get('limit'),
        query.get('continue'),
        query.get('labelSelector'),
      ]),
    ).toEqual([
      ['500', null, 'x=y'],
      ['500', 'next', 'x=y'],
    ]);
  });

  it('starts over without pages when the token has expired', async () => {
    server.on(
      'GET',
      PATH,
      list([item('old')], '5', { continue: 'next' }),
      status(410, { reason: 'Expired' }),
      list([item('a'), item('b')], '9'),
    );
    const result = await client.list(PODS);
    expect(result).toMatchObject({ resourceVersion: '9' });
    expect(result.items).toHaveLength(2);
    expect(server.requests[2]?.query.get('limit')).toBeNull();
  });

  it('takes a null list for an empty one', async () => {
    server.on('GET', PATH, json({ kind: 'PodList', metadata: { resourceVersion: '3' }, items: null }));
    expect(await client.list(PODS)).toEqual({ items: [], resourceVersion: '3' });
  });
});
