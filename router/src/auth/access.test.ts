// SPDX-License-Identifier: Apache-2.0
import { TokenIssuer } from '@agenttier/machinery/testing/tokenIssuer';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Harness, keySecret } from '../testing/harness.ts';
import type { Json } from '../testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

describe('a key of a sandbox', () => {
  const SCOPED = 'atk_exact-0123456789abcdefghijklm';
  const ask = (path: string) => harness.call('GET', `/api/v1/sandboxes/box${path}`, { key: SCOPED });

  it('is of that one only, not of its namesakes nor of its successor', async () => {
    const box = await harness.add({ name: 'box', namespace: 'team-a' });
    await harness.add({ name: 'box', namespace: 'default' });
    const record = {
      userId: 'ann',
      sandboxId: 'box',
      sandboxNamespace: 'team-a',
      sandboxUid: box.metadata.uid,
    };
    harness.router.stores.apiKeys.applyWatch(keySecret(SCOPED, record));
    // Without a namespace the default one would win; this key sees one box only.
    expect((await ask('')).body).toMatchObject({ namespace: 'team-a' });
    expect((await ask('?namespace=default')).status).toBe(404);
    harness.change(box, { metadata: { ...box.metadata, uid: 'made-anew' } });
    expect((await ask('')).status).toBe(404);
  });
});

describe('signing in', () => {
  it('is explained to everybody', async () => {
    const answer = await harness.call('GET', '/api/v1/auth/config', { key: '' });
    expect(answer).toMatchObject({ status: 200, body: { mode: 'keys' } });
  });

  it('with a token opens the namespaces of its groups and no others', async () => {
    const issuer = await TokenIssuer.start();
    const oidc = {
      issuer: issuer.url,
      clientId: 'agenttier',
      adminGroup: 'admins',
      groupClaim: 'groups',
      scopes: ['openid'],
      session: 'page' as const,
      allowHttp: false,
      ca: undefined,
    };
    const own = await Harness.start({ oidc, groupNamespaces: { dev: ['team-a'] } });
    const config = await own.call('GET', '/api/v1/auth/config', { key: '' });
    expect(config.body).toEqual({
      mode: 'oidc',
      issuer: issuer.url,
      clientId: 'agenttier',
      scopes: ['openid'],
      session: 'page',
    });
    await own.add({ name: 'mine', namespace: 'team-a', owner: 'u-1' });
    await own.add({ name: 'left', namespace: 'team-b', owner: 'u-1' });
    const headers = {
      Authorization: `Bearer ${await issuer.sign({ sub: 'u-1', aud: 'agenttier', groups: ['dev'] })}`,
    };
    const ask = (method: string, path: string, body?: unknown) =>
      own.call(method, `/api/v1${path}`, { key: '', headers, ...(body === undefined ? {} : { body }) });
    await until(async () => (await ask('GET', '/user/me')).status === 200, 'the issuer to be found');
    const { body } = await ask('GET', '/sandboxes');
    expect(body.sandboxes.map((each: Json) => each.name)).toEqual(['mine']);
    expect((await ask('GET', '/sandboxes/left')).status).toBe(404);
    for (const [method, path, sent] of [
      ['GET', '/sandboxes?namespace=team-b'],
      ['GET', '/templates?namespace=team-b'],
      ['POST', '/sandboxes', { name: 'new', namespace: 'team-b', templateRef: { name: 'shell' } }],
      ['POST', '/sandboxes', { name: 'new', templateRef: { name: 'shell' } }],
    ] as [string, string, unknown?][]) {
      expect(await ask(method, path, sent)).toMatchObject({ status: 403, body: { error: 'access_denied' } });
    }
    const made = { name: 'new', namespace: 'team-a', templateRef: { name: 'shell' } };
    expect((await ask('POST', '/sandboxes', made)).status).toBe(201);
    await own.stop();
    await issuer.close();
  });
});
