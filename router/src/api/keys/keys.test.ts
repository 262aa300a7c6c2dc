// SPDX-License-Identifier: Apache-2.0
import { request } from 'node:http';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, Harness, keySecret } from '../../testing/harness.ts';
import type { Json } from '../../testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const call = (method: string, path = '', body?: unknown, key = ANN_KEY) =>
  harness.call(method, `/api/v1/user/api-keys${path}`, { key, ...(body === undefined ? {} : { body }) });
const me = async (key: string): Promise<number> =>
  (await harness.call('GET', '/api/v1/user/me', { key })).status;

describe('a new key', () => {
  it('is its person without groups, never an administrator, and is stored as a hash', async () => {
    const { status, body } = await call('POST', '', { name: 'laptop' }, ADMIN_KEY);
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'laptop', sandboxId: '', actionGroups: [], expiresAt: null });
    expect(body.key).toMatch(/^atk_[A-Za-z0-9_-]{43}$/);
    const who = await harness.call('GET', '/api/v1/user/me', { key: body.key });
    expect(who.body).toEqual({ sub: 'root', email: '', name: 'laptop', groups: [], isAdmin: false });
    const secret = await harness.api.get(SECRETS, { namespace: 'agenttier', name: body.id });
    expect(secret.metadata.labels).toEqual({
      'agenttier.io/secret-purpose': 'api-key',
      'agenttier.io/api-key-user': 'root',
    });
    expect(JSON.stringify(secret)).not.toContain(body.key);
    const created = harness.calls.find(({ method }) => method === 'create');
    expect(JSON.stringify(created?.given)).not.toContain('impersonate');
  });

  it.each(['scopes', 'actionGroups'])('of one sandbox takes its limits as %s', async (field) => {
    await harness.add({ name: 'box' });
    const { status, body } = await call('POST', '', { sandboxId: 'box', [field]: ['stop'], expiresIn: '1h' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ sandboxId: 'box', actionGroups: ['stop'] });
    expect(Date.parse(body.expiresAt) - Date.parse(body.createdAt)).toBe(3_600_000);
    const ask = (method: string, path: string) => harness.call(method, `/api/v1${path}`, { key: body.key });
    expect((await ask('GET', '/sandboxes/box')).status).toBe(200);
    expect((await ask('POST', '/sandboxes/box/exec')).status).toBe(403);
    expect((await ask('GET', '/user/api-keys')).status).toBe(403);
    expect((await ask('POST', '/user/api-keys')).status).toBe(403);
  });

  it('of a sandbox made anew under that name is not', async () => {
    const box = await harness.add({ name: 'box' });
    const { body } = await call('POST', '', { sandboxId: 'box' });
    expect(body.actionGroups).toHaveLength(9);
    expect(body.actionGroups).not.toContain('delete');
    harness.change(box, { metadata: { ...box.metadata, uid: 'another' } });
    expect((await harness.call('GET', '/api/v1/sandboxes/box', { key: body.key })).status).toBe(404);
  });

  it('is what a chunked body asks for, not a key without limits', async () => {
    await harness.add({ name: 'box' });
    const body = await new Promise<Json>((resolve, reject) => {
      const sent = request(`${harness.url}/api/v1/user/api-keys`, {
        method: 'POST',
        headers: { 'X-API-Key': ANN_KEY, 'Transfer-Encoding': 'chunked' },
      });
      sent.on('error', reject).on('response', (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => resolve(JSON.parse(text)));
      });
      sent.write('{"sandboxId":"box",');
      sent.end('"scopes":["files:read"]}');
    });
    expect(body).toMatchObject({ sandboxId: 'box', actionGroups: ['files:read'] });
  });

  it('made with a key reaches no further than that one', async () => {
    const SHORT = 'atk_short-0123456789abcdefghijklm';
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const record = { userId: 'ann', allowedNamespaces: ['team'], expiresAt };
    harness.router.stores.apiKeys.applyWatch(keySecret(SHORT, record));
    const { body } = await call('POST', '', { expiresIn: '10h' }, SHORT);
    expect(body.expiresAt).toBe(expiresAt);
    await harness.add({ name: 'elsewhere', namespace: 'default' });
    expect((await harness.call('GET', '/api/v1/sandboxes/elsewhere', { key: body.key })).status).toBe(404);
  });

  const rows: [name: string, body: unknown, status: number, words: RegExp][] = [
    ['a misspelt limit', { sandboxID: 'box' }, 400, /sandboxID: is not a member/],
    ['a limit without a sandbox', { scopes: ['stop'] }, 400, /sandboxId: is required/],
    ['the right to delete', { sandboxId: 'box', actionGroups: ['delete'] }, 400, /can never be granted/],
    ['a right that there is none of', { sandboxId: 'box', scopes: ['root'] }, 400, /"root" is none of/],
    [
      'two lists that differ',
      { sandboxId: 'box', scopes: ['stop'], actionGroups: ['resume'] },
      400,
      /two names/,
    ],
    ['a life that is none', { expiresIn: '30d' }, 400, /expiresIn: must be a duration/],
    ['no life', { expiresIn: '0s' }, 400, /expiresIn/],
    ['a life without end', { expiresIn: '999999h' }, 400, /expiresIn/],
    ['a name that is no text', { name: 5 }, 400, /name: must be a string/],
    ['a list', [], 400, /object/],
    ['a foreign sandbox', { sandboxId: 'foreign' }, 404, /not found/],
    ['no sandbox', { sandboxId: 'nothing' }, 404, /not found/],
  ];
  it.each(rows)('is refused with %s', async (_name, body, status, words) => {
    await harness.add({ name: 'box' });
    await harness.add({ name: 'foreign', owner: 'bob' });
    const answer = await call('POST', '', body);
    expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(words) } });
    expect(harness.calls.filter(({ method }) => method === 'create')).toEqual([]);
  });

  it('comes without a body too, and empty fields count as none', async () => {
    expect((await call('POST')).status).toBe(201);
    const empty = { name: '', expiresIn: '', sandboxId: '', scopes: [], actionGroups: null };
    expect((await call('POST', '', empty)).body).toMatchObject({ sandboxId: '', expiresAt: null });
  });

  it('is refused to whoever has too many', async () => {
    for (let i = 0; i < 200; i++) {
      const key = keySecret(`atk_many-${String(i).padStart(30, '0')}`, { userId: 'ann' });
      harness.router.stores.apiKeys.applyWatch(key);
    }
    expect(await call('POST')).toMatchObject({ status: 409, body: { error: 'too_many_keys' } });
  });
});

describe('keys', () => {
  it("are listed to their person by the exact name, and anybody's to administrators", async () => {
    const odd = 'atk_alike-0123456789abcdefghijklm';
    harness.router.stores.apiKeys.applyWatch(keySecret(odd, { userId: 'a/nn' }));
    await call('POST', '', { name: 'second' });
    const of = async (query: string, key: string) =>
      (await call('GET', query, undefined, key)).body.keys.map(
        (each: Json) => `${each.userId}: ${each.name}`,
      );
    expect(await of('', ANN_KEY)).toEqual(['ann: key', 'ann: second']);
    expect(await of('', odd)).toEqual(['a/nn: key']);
    expect(await of('?user=ann', ADMIN_KEY)).toEqual(['ann: key', 'ann: second']);
    expect(await of('?user=*', ADMIN_KEY)).toHaveLength(5);
    expect(await call('GET', '?user=bob')).toMatchObject({ status: 403, body: { error: 'admin_required' } });
    expect(JSON.stringify((await call('GET')).body)).not.toMatch(/keyHash|atk_/);
  });

  it("are revoked by their person and by administrators, and are nobody else's business", async () => {
    const first = (await call('POST')).body;
    expect(await call('DELETE', `/${first.id}`, undefined, BOB_KEY)).toMatchObject({
      status: 404,
      body: { error: `API key ${first.id} not found` },
    });
    expect(await me(first.key)).toBe(200);
    expect(await call('DELETE', `/${first.id}`)).toMatchObject({
      status: 200,
      body: { status: 'revoked', id: first.id },
    });
    expect(await me(first.key)).toBe(401);
    expect((await call('DELETE', `/${first.id}`)).status).toBe(404);
    const second = (await call('POST')).body;
    expect((await call('DELETE', `/${second.id}`, undefined, ADMIN_KEY)).status).toBe(200);
    expect(await me(second.key)).toBe(401);
  });

  it('cannot be used to delete any other Secret', async () => {
    for (const name of ['agenttier-runtime-key', 'x', '%2e%2e', 'agenttier-apikey-zz']) {
      expect((await call('DELETE', `/${name}`, undefined, ADMIN_KEY)).status).toBe(404);
    }
    expect(harness.calls.filter(({ method }) => method === 'delete')).toEqual([]);
  });
});
