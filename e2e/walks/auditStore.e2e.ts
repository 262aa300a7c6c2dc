// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { startPostgres } from '@agenttier/machinery/testing/postgres';
import type { TestDatabase } from '@agenttier/machinery/testing/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiKey, getJson, type Json, kubectl, ok, rest, until } from './harness.ts';
import { ownRouter, type RouterPod } from './ownRouter.ts';

const INSTALL = 'agenttier';

async function ask(base: string, method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${base}/api/v1${path}`, {
    method,
    headers: { 'X-API-Key': apiKey, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const made: string[] = [];
afterAll(async () => {
  for (const id of made) await rest('DELETE', `/user/api-keys/${id}`);
});

/** An act that leaves one row and needs no sandbox; resolves with what the row is on. */
async function act(base: string): Promise<string> {
  const answer = await ask(base, 'POST', '/user/api-keys', { name: 'walk-audit', expiresIn: '10m' });
  expect(answer.status).toBe(201);
  const { id } = (await answer.json()) as Json;
  made.push(id);
  return id;
}

const rowsOf = async (base: string): Promise<string[]> => {
  const answer = await ask(base, 'GET', '/audit/events?type=ApiKeyCreated&limit=100');
  expect(answer.status).toBe(200);
  return ((await answer.json()) as Json).events.map(({ name }: Json) => name);
};

const untilRead = (base: string, ids: readonly string[]): Promise<string[]> =>
  until('the rows', async () => {
    const rows = await rowsOf(base);
    return ids.every((id) => rows.includes(id)) && rows;
  });

describe('an audit file on a volume', () => {
  const router = ownRouter('audit-file', {
    namespaces: [],
    settings: () => ({ AUDIT_STORE: 'sqlite' }),
    volumeAt: '/var/lib/agenttier',
  });

  it('has its rows when the pod was killed and another one begins', async () => {
    const before = await act(router.url);
    const [pod] = await router.pods();
    if (!pod) throw new Error('there is no router');
    await untilRead(pod.url, [before]);
    await router.kill(pod);
    await ok(kubectl(['delete', 'pod', pod.name, '-n', INSTALL, '--grace-period=0', '--force']));
    const next = await until('another pod', async () =>
      (await router.pods()).find(({ uid }) => uid !== pod.uid),
    );
    await router.ready();
    const after = await act(next.url);
    expect(await untilRead(next.url, [before, after])).toEqual([after, before]);
  });
});

describe('an audit database of two replicas', () => {
  let database: TestDatabase;
  let url = '';
  beforeAll(async () => {
    const nodes = await getJson(['nodes']);
    const { address } = nodes.items[0].status.addresses.find((one: Json) => one.type === 'InternalIP');
    database = await startPostgres({ listen: { address, port: await freePort(address) } });
    url = database.urlAt(address);
  }, 60_000);
  // Registered before the router's own, so that it comes after that.
  afterAll(() => database.stop());

  const router = ownRouter('audit-base', {
    replicas: 2,
    namespaces: [],
    settings: () => ({ AUDIT_STORE: 'postgres' }),
    secrets: () => ({ AUDIT_POSTGRES_URL: url }),
  });
  const replicas = async (): Promise<[RouterPod, RouterPod]> => {
    const [one, two] = await router.pods();
    if (!one || !two) throw new Error('there are not two routers');
    return [one, two];
  };

  it('gives through one replica what was done through the other', async () => {
    const [one, two] = await replicas();
    const [first, second] = [await act(one.url), await act(two.url)];
    expect(await untilRead(two.url, [first, second])).toEqual([second, first]);
    expect(await untilRead(one.url, [first, second])).toEqual([second, first]);
  });

  it('may be away: REST goes on, and every row is there once when it is back', async () => {
    const [one, two] = await replicas();
    const before = await rowsOf(one.url);
    await database.halt();
    const during: string[] = [];
    for (let i = 0; i < 6; i++) during.push(await act(i % 2 === 0 ? one.url : two.url));
    const refused = await ask(one.url, 'GET', '/audit/events');
    expect(refused.status).toBe(503);
    expect(await refused.json()).toEqual({ error: 'the audit store cannot be read at the moment' });
    await until('both to have met its absence', async () => {
      const logs = await Promise.all([one, two].map(logOf));
      return logs.every((text) => text.includes('audit rows could not be stored'));
    });
    expect((await ask(one.url, 'GET', '/sandboxes')).status).toBe(200);
    expect((await fetch(`${two.url}/readyz`)).status).toBe(200);
    await database.resume();
    const rows = await untilRead(two.url, during);
    expect([...rows].sort()).toEqual([...before, ...during].sort());
  });

  it('has a password that is in no log and in no Deployment', async () => {
    const { password } = new URL(url);
    const deployment = await ok(kubectl(['get', 'deployments', '-n', INSTALL, '-o', 'yaml']));
    expect(deployment).toContain('AUDIT_POSTGRES_URL');
    for (const text of [deployment, ...(await Promise.all((await replicas()).map(logOf)))]) {
      expect(text).not.toContain(password);
    }
  });
});

const logOf = ({ name }: RouterPod): Promise<string> => ok(kubectl(['logs', name, '-n', INSTALL]));

async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
