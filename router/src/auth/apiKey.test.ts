// SPDX-License-Identifier: Apache-2.0
import { apiKeySecretName } from '@agenttier/crds/wire/apiKey';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { Store } from '@agenttier/machinery/reflector/store';
import { describe, expect, it, vi } from 'vitest';
import type { Secret } from '../cluster/shapes.ts';
import { ApiKeys } from './apiKey.ts';
import { authenticate } from './authenticate.ts';
import { hashKey, readKeySecret } from './keyRecord.ts';

const KEY = `atk_${'a'.repeat(43)}`;
const NAMESPACE = 'agenttier';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function keySecret(key: string, record: Record<string, unknown> = {}, version = '1'): Secret {
  const keyHash = hashKey(key);
  const fields = { userId: 'ann', email: 'ann@example.com', name: 'laptop', ...record };
  return {
    metadata: { name: apiKeySecretName(keyHash), namespace: NAMESPACE, resourceVersion: version },
    data: { keyHash: base64(keyHash), record: base64(JSON.stringify(fields)) },
  };
}

function setUp(now = () => 1_000_000) {
  const secrets = new Store<Secret>();
  const live = new Map<string, Secret>();
  let calls = 0;
  const client = {
    get: async (_resource: unknown, key: { name: string }): Promise<never> => {
      calls++;
      const found = live.get(key.name);
      if (found) return found as never;
      throw new KubeError({ status: 404, reason: 'NotFound', message: 'not found' });
    },
  };
  const keys = new ApiKeys({ client, secrets, namespace: NAMESPACE, now });
  return { secrets, live, keys, calls: () => calls };
}

describe('ApiKeys', () => {
  it('knows a stored key and acts as its person, without groups, never as administrator', async () => {
    const { secrets, keys, calls } = setUp();
    secrets.applyWatch(keySecret(KEY));
    expect(await keys.authenticate(KEY)).toMatchObject({
      sub: 'ann',
      email: 'ann@example.com',
      name: 'laptop',
      groups: [],
      isAdmin: false,
    });
    expect(calls()).toBe(0);
  });

  it('makes an administrator only of a record that says so with true', async () => {
    for (const [isAdmin, expected] of [
      [true, true],
      ['true', false],
      [1, false],
      [undefined, false],
    ] as const) {
      const { secrets, keys } = setUp();
      secrets.applyWatch(keySecret(KEY, { isAdmin }));
      expect((await keys.authenticate(KEY))?.isAdmin).toBe(expected);
    }
  });

  it('forgets a revoked key with the watch event', async () => {
    const { secrets, keys } = setUp();
    const secret = keySecret(KEY);
    secrets.applyWatch(secret);
    expect(await keys.authenticate(KEY)).toBeDefined();
    secrets.deleteWatch(secret);
    expect(await keys.authenticate(KEY)).toBeUndefined();
  });

  it('sees a changed record with the watch event', async () => {
    const { secrets, keys } = setUp();
    secrets.applyWatch(keySecret(KEY, { isAdmin: true }));
    expect((await keys.authenticate(KEY))?.isAdmin).toBe(true);
    secrets.applyWatch(keySecret(KEY, { isAdmin: false }, '2'));
    expect((await keys.authenticate(KEY))?.isAdmin).toBe(false);
  });

  it('keeps those in mind that are used, not those that came last', async () => {
    const { secrets, keys } = setUp();
    const keyAt = (i: number): string => `atk_${String(i).padStart(43, '0')}`;
    for (let i = 0; i < 1100; i++) secrets.applyWatch(keySecret(keyAt(i)));
    const reads = vi.spyOn(secrets, 'get');
    for (let i = 0; i < 1100; i++) {
      expect(await keys.authenticate(keyAt(i))).toBeDefined();
      await keys.authenticate(keyAt(0));
    }
    // The first was used all along, so it was read once, though 1,099 others came after it.
    expect(reads).toHaveBeenCalledTimes(1100);
  });

  it('checks the expiry on every use, cached or not', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const { secrets, keys } = setUp(() => now);
    secrets.applyWatch(keySecret(KEY, { expiresAt: '2026-01-01T00:01:00Z' }));
    expect(await keys.authenticate(KEY)).toBeDefined();
    now += 60_000;
    expect(await keys.authenticate(KEY)).toBeUndefined();
  });

  it('refuses a key that shares only the part of the hash in the name', async () => {
    const { secrets, keys } = setUp();
    const forged = keySecret(KEY);
    const other = hashKey('another key altogether');
    secrets.applyWatch({ ...forged, data: { ...forged.data, keyHash: base64(other) } });
    expect(await keys.authenticate(KEY)).toBeUndefined();
  });

  it('finds a key that the watch has not brought yet', async () => {
    const { live, keys } = setUp();
    const secret = keySecret(KEY);
    live.set(secret.metadata.name ?? '', secret);
    expect((await keys.authenticate(KEY))?.sub).toBe('ann');
  });

  it('does not ask the API server for every wrong key', async () => {
    const { keys, calls } = setUp();
    for (let i = 0; i < 100; i++)
      expect(await keys.authenticate(`atk_wrong-but-long-enough-${i}`)).toBeUndefined();
    expect(calls()).toBe(20);
    expect(await keys.authenticate('short')).toBeUndefined();
    expect(calls()).toBe(20);
  });
});

describe('readKeySecret', () => {
  const good = keySecret(KEY);
  const withRecord = (text: string): Secret => ({ ...good, data: { ...good.data, record: base64(text) } });
  const rows: [name: string, secret: Secret][] = [
    ['no data', { metadata: good.metadata }],
    ['no hash', { ...good, data: { record: good.data?.['record'] ?? '' } }],
    ['a hash that is none', { ...good, data: { ...good.data, keyHash: base64('x') } }],
    ['a record that is no JSON', withRecord('{')],
    ['a record of null', withRecord('null')],
    ['a record for nobody', withRecord('{"userId":""}')],
    ['an expiry that cannot be read', withRecord('{"userId":"ann","expiresAt":"soon"}')],
  ];
  it.each(rows)('lets nobody in with %s', (_name, secret) => {
    expect(readKeySecret(secret)).toBeUndefined();
  });

  it('keeps what limits a scoped key', () => {
    const record = { sandboxId: 'box', actionGroups: ['run-command', 5], allowedNamespaces: ['team'] };
    expect(readKeySecret(keySecret(KEY, record))?.principal.key).toEqual({
      id: good.metadata.name,
      sandboxId: 'box',
      actionGroups: ['run-command'],
      groups: [],
      allowedNamespaces: ['team'],
    });
  });
});

describe('authenticate', () => {
  const ann = { sub: 'ann', email: '', name: '', groups: [], isAdmin: false };
  const apiKeys = { authenticate: async (key: string) => (key === 'good' ? ann : undefined) };

  const rows: [name: string, credentials: Parameters<typeof authenticate>[0], code: string][] = [
    ['nothing', {}, 'missing_authorization'],
    ['a bad key', { apiKey: 'bad' }, 'invalid_api_key'],
    ['an empty key', { apiKey: '' }, 'invalid_api_key'],
    ['a bad key beside a token', { apiKey: 'bad', authorization: 'Bearer x' }, 'invalid_api_key'],
    ['basic authentication', { authorization: 'Basic eDp5' }, 'invalid_authorization_format'],
    ['a bearer without a token', { authorization: 'Bearer ' }, 'invalid_authorization_format'],
    ['a token', { authorization: 'Bearer x.y.z' }, 'invalid_token'],
    ['a token in the query', { queryToken: 'x.y.z' }, 'invalid_token'],
  ];
  it.each(rows)('refuses %s', async (_name, credentials, code) => {
    await expect(authenticate(credentials, { devAuth: false, apiKeys })).rejects.toMatchObject({
      status: 401,
      body: { error: code },
    });
  });

  it('takes a good key, and in development mode anybody', async () => {
    expect(await authenticate({ apiKey: 'good' }, { devAuth: false, apiKeys })).toBe(ann);
    expect(await authenticate({ apiKey: 'bad' }, { devAuth: true, apiKeys })).toMatchObject({
      sub: 'dev-user',
      isAdmin: true,
    });
  });
});
