// SPDX-License-Identifier: Apache-2.0
import { TokenIssuer } from '@agenttier/machinery/testing/tokenIssuer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { getJson, until, untilPhase, walkNamespace } from './harness.ts';
import type { Json } from './harness.ts';
import { ownRouter } from './ownRouter.ts';

const CLIENT = 'agenttier';
const namespace = walkNamespace('walk-auth');

let issuer: TokenIssuer;

/** An issuer on the node. */
beforeAll(async () => {
  const nodes = await getJson(['nodes']);
  const { addresses } = nodes.items[0].status;
  const host: string = addresses.find((one: Json) => one.type === 'InternalIP').address;
  issuer = await TokenIssuer.start({ host });
});
afterAll(() => issuer.close());

/** Two replicas, as the chart's values would have made them: with that issuer, and one group with a namespace. */
const router = ownRouter('auth', {
  replicas: 2,
  namespaces: [namespace],
  settings: () => ({
    OIDC_ISSUER_URL: issuer.url,
    OIDC_CLIENT_ID: CLIENT,
    OIDC_ALLOW_HTTP: 'true',
    OIDC_GROUP_NAMESPACES: JSON.stringify({ dev: [namespace()] }),
  }),
});

const tokenOf = (sub: string, claims: object = {}): Promise<string> =>
  issuer.sign({ sub, aud: CLIENT, email: `${sub}@example.com`, groups: ['dev'], ...claims });
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

async function ask(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<{ status: number; body: Json }> {
  const answer = await fetch(`${router.url}/api/v1${path}`, {
    method,
    // A connection of its own each time, so that both replicas are asked.
    headers: { ...headers, Connection: 'close' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

/** The same answer ten times in a row: from every replica, as far as an observer outside can tell. */
const everywhere = (what: string, status: number, call: () => Promise<{ status: number }>, ms?: number) =>
  until(
    what,
    async () => {
      for (let i = 0; i < 10; i++) if ((await call()).status !== status) return false;
      return true;
    },
    ms,
  );

/** Opens a terminal and gives the status of the answer, or 101 and the socket. */
function terminal(id: string, headers: Record<string, string>, query = '') {
  const url = `${router.url.replace(/^http/, 'ws')}/ws/terminal/${id}?namespace=${namespace()}${query}`;
  const socket = new WebSocket(url, { headers });
  return new Promise<{ status: number; socket: WebSocket }>((resolve, reject) => {
    socket.on('error', () => {}); // what was refused also fails
    socket.once('open', () => resolve({ status: 101, socket }));
    socket.once('unexpected-response', (_request, response) =>
      resolve({ status: response.statusCode ?? 0, socket }),
    );
    socket.once('close', () => reject(new Error('closed before it was open')));
  });
}

describe('people with tokens', () => {
  it('sign in, make a sandbox as themselves, and reach the namespaces of their groups only', async () => {
    const ann = bearer(await tokenOf('ann'));
    await everywhere('the issuer to be found', 200, () => ask('GET', '/user/me', ann));
    expect((await ask('GET', '/user/me', ann)).body).toMatchObject({
      sub: 'ann',
      email: 'ann@example.com',
      groups: ['dev'],
      isAdmin: false,
    });
    const body = { name: 'anns', namespace: namespace(), templateRef: { name: 'minimal-shell' } };
    expect((await ask('POST', '/sandboxes', ann, body)).status).toBe(201);
    const { spec } = await getJson(['sandbox', 'anns', '-n', namespace()]);
    expect(spec.createdBy).toMatchObject({ sub: 'ann', email: 'ann@example.com' });
    expect((await ask('POST', '/sandboxes', ann, { ...body, namespace: 'default' })).status).toBe(403);
    const nobody = bearer(await tokenOf('carl', { groups: [] }));
    expect((await ask('POST', '/sandboxes', nobody, body)).status).toBe(403);
    expect((await ask('GET', '/sandboxes', nobody)).body).toEqual({ sandboxes: [] });
    expect((await ask('GET', `/sandboxes/anns`, bearer(await tokenOf('bob')))).status).toBe(404);
    await untilPhase('anns', namespace(), 'Running');
  });

  it('are refused in JSON when the token is not good, for REST and for terminals', async () => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer.url, aud: CLIENT, sub: 'ann', exp: now + 60 };
    const tokens = {
      'another issuer': await tokenOf('ann', { iss: 'https://login.example' }),
      'another audience': await tokenOf('ann', { aud: 'other' }),
      expired: await tokenOf('ann', { exp: now - 60 }),
      'for later': await tokenOf('ann', { nbf: now + 120 }),
      'from the future': await tokenOf('ann', { iat: now + 120 }),
      'without a signature': `${encode({ alg: 'none' })}.${encode(claims)}.`,
      garbage: 'x.y.z',
    };
    for (const [name, token] of Object.entries(tokens)) {
      const answer = await ask('GET', '/user/me', bearer(token));
      expect([name, answer.status, answer.body.error]).toEqual([name, 401, 'invalid_token']);
      expect((await terminal('anns', {}, `&token=${token}`)).status).toBe(401);
    }
  });

  it('open terminals with a token in the header or, as older clients do, in the query', async () => {
    const token = await tokenOf('ann');
    for (const opened of [
      await terminal('anns', bearer(token)),
      await terminal('anns', {}, `&token=${token}`),
    ]) {
      expect(opened.status).toBe(101);
      opened.socket.close();
    }
  });

  it('go on with the keys that the issuer has changed to, and with none of before', async () => {
    const before = bearer(await tokenOf('ann'));
    await issuer.rotate();
    const after = bearer(await tokenOf('ann'));
    await everywhere('the new key to be known', 200, () => ask('GET', '/user/me', after));
    await everywhere('the old key to be forgotten', 401, () => ask('GET', '/user/me', before));
  });
});

describe('keys of one sandbox', () => {
  it('do what they are for there and nothing elsewhere, and end everywhere when they are revoked', async () => {
    const ann = bearer(await tokenOf('ann'));
    const other = { name: 'other', namespace: namespace(), templateRef: { name: 'minimal-shell' } };
    expect((await ask('POST', '/sandboxes', ann, other)).status).toBe(201);
    await untilPhase('other', namespace(), 'Running');
    const mint = (scopes: readonly string[]) =>
      ask('POST', '/user/api-keys', ann, { sandboxId: 'anns', namespace: namespace(), scopes });
    const { status, body } = await mint(['terminal', 'run-command']);
    expect(status).toBe(201);
    const key = { 'X-API-Key': body.key as string };
    expect((await ask('GET', `/sandboxes/anns?namespace=${namespace()}`, key)).status).toBe(200);
    expect((await ask('POST', '/sandboxes/anns/exec', key, { command: 'true' })).body.exitCode).toBe(0);
    expect((await ask('POST', '/sandboxes/other/exec', key, { command: 'true' })).status).toBe(403);
    expect((await ask('POST', '/sandboxes/anns/stop', key)).status).toBe(403);
    expect((await ask('DELETE', '/sandboxes/anns', key)).status).toBe(403);
    expect((await terminal('other', key)).status).toBe(403);
    const files = { 'X-API-Key': (await mint(['files:read'])).body.key as string };
    expect((await terminal('anns', files)).status).toBe(403);

    const { socket } = await terminal('anns', key);
    const closed = new Promise<number>((resolve) => void socket.once('close', resolve));
    expect((await ask('DELETE', `/user/api-keys/${body.id}`, ann)).status).toBe(200);
    expect(await closed).toBe(4003);
    await everywhere('the key to be forgotten', 401, () => ask('GET', '/user/me', key), 5_000);
  });
});
