// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, Harness, keySecret } from '../../testing/harness.ts';
import { hashToken } from './token.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
  await harness.add({ name: 'box', phase: 'Stopped' });
});
afterEach(() => harness.stop());

const call = (method: string, path: string, body?: unknown, key = ANN_KEY) =>
  harness.call(method, `/api/v1${path}`, { key, ...(body === undefined ? {} : { body }) });

const stored = async () => {
  const sandbox = await harness.api.get<Sandbox & KubeObject>(SANDBOXES, {
    namespace: 'default',
    name: 'box',
  });
  return sandbox.spec?.sharing;
};

describe('sharing', () => {
  it('grants, changes the level, and takes back, for persons and groups', async () => {
    expect((await call('GET', '/sandboxes/box/share')).body).toEqual({
      users: [],
      groups: [],
      shareLinks: [],
    });
    await call('POST', '/sandboxes/box/share', { identity: 'bob', level: 'viewer' });
    await call('POST', '/sandboxes/box/share', { identity: 'dev/team a', level: 'viewer', kind: 'group' });
    const raised = await call('POST', '/sandboxes/box/share', { identity: 'bob', level: 'collaborator' });
    expect(raised).toMatchObject({
      status: 200,
      body: {
        users: [{ identity: 'bob', level: 'collaborator' }],
        groups: [{ identity: 'dev/team a', level: 'viewer' }],
      },
    });
    const gone = await call('DELETE', `/sandboxes/box/share/${encodeURIComponent('dev/team a')}`);
    expect(gone).toMatchObject({ status: 200, body: { status: 'revoked', identity: 'dev/team a' } });
    expect(await stored()).toEqual({ users: [{ identity: 'bob', level: 'collaborator' }], groups: [] });
    expect((await call('DELETE', '/sandboxes/box/share/nobody')).status).toBe(200);
  });

  it('writes as the owner, with uid and version', async () => {
    await call('POST', '/sandboxes/box/share', { identity: 'bob', level: 'viewer' });
    const patch = harness.calls.find(({ method }) => method === 'patch');
    expect(patch?.given[3]).toMatchObject({ impersonate: { user: 'agenttier:ann' } });
    expect(patch?.given[2]).toMatchObject({
      body: { metadata: { uid: expect.any(String), resourceVersion: expect.any(String) } },
    });
  });

  const wrong: [name: string, body: unknown, field: string][] = [
    ['nobody', { level: 'viewer' }, 'identity'],
    ['an empty name', { identity: '', level: 'viewer' }, 'identity'],
    ['a level that does not exist', { identity: 'bob', level: 'owner' }, 'level'],
    ['a kind that does not exist', { identity: 'bob', level: 'viewer', kind: 'robot' }, 'kind'],
  ];
  it.each(wrong)('refuses %s', async (_name, body, field) => {
    const answer = await call('POST', '/sandboxes/box/share', body);
    expect(answer.status).toBe(400);
    expect(answer.body.violations.map((each: { field: string }) => each.field)).toContain(field);
    expect(await stored()).toBeUndefined();
  });

  it('is 404 for strangers as for what is not there, 403 for whom it is shared with', async () => {
    const share = { identity: 'eve', level: 'viewer' };
    const foreign = await call('POST', '/sandboxes/box/share', share, BOB_KEY);
    const missing = await call('POST', '/sandboxes/none/share', share, BOB_KEY);
    expect([foreign.status, missing.status]).toEqual([404, 404]);
    expect(foreign.body.error.replace(' box ', ' none ')).toBe(missing.body.error);
    await call('POST', '/sandboxes/box/share', { identity: 'bob', level: 'collaborator' });
    for (const [method, path, body] of [
      ['GET', '/sandboxes/box/share'],
      ['POST', '/sandboxes/box/share', share],
      ['DELETE', '/sandboxes/box/share/bob'],
      ['POST', '/sandboxes/box/share-links', {}],
    ] as const) {
      const answer = await call(method, path, body, BOB_KEY);
      expect([answer.status, answer.body.error]).toEqual([403, 'access_denied']);
    }
    expect((await call('GET', '/sandboxes/box/share', undefined, ADMIN_KEY)).status).toBe(200);
  });

  it('does nothing for whoever only wanted to know', async () => {
    const body = { identity: 'bob', level: 'viewer' };
    const answer = await call('POST', '/sandboxes/box/share?dryRun=true', body);
    expect([answer.status, answer.body.violations[0].field]).toEqual([400, 'dryRun']);
    expect(await stored()).toBeUndefined();
  });

  it('loses neither of two changes made at once', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const share = (identity: string) => call('POST', '/sandboxes/box/share', { identity, level: 'viewer' });
    const answers = await Promise.all(names.map(share));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    expect((await stored())?.users?.map(({ identity }) => identity).sort()).toEqual(names);
  });
});

describe('share links', () => {
  const make = async (body: object = {}) => (await call('POST', '/sandboxes/box/share-links', body)).body;
  const redeem = (token: string, key = BOB_KEY) => call('POST', '/share-links/redeem', { token }, key);

  it('tell their secret once and keep its hash', async () => {
    const made = await call('POST', '/sandboxes/box/share-links', { expiresIn: '1h', maxUses: 2 });
    expect(made).toMatchObject({ status: 201, body: { level: 'viewer', maxUses: 2 } });
    const { id, token, expiresAt } = made.body;
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    expect(await stored()).toEqual({
      shareLinks: [{ id, tokenHash: hashToken(token), level: 'viewer', maxUses: 2, expiresAt }],
    });
    const shown = await call('GET', '/sandboxes/box/share-links');
    const view = { id, level: 'viewer', expiresAt, maxUses: 2, usedCount: 0 };
    expect(shown.body).toEqual({ shareLinks: [view] });
    expect((await call('GET', '/sandboxes/box/share')).body.shareLinks).toEqual([view]);
  });

  it('let in whoever holds them, as much as they say, and count', async () => {
    const { token, id } = await make({ level: 'viewer' });
    expect((await call('GET', '/sandboxes/box', undefined, BOB_KEY)).status).toBe(404);
    expect(await redeem(token)).toMatchObject({
      status: 200,
      body: { sandboxId: 'box', name: 'box', namespace: 'default', level: 'viewer' },
    });
    expect((await call('GET', '/sandboxes/box', undefined, BOB_KEY)).status).toBe(200);
    expect((await call('GET', '/sandboxes', undefined, BOB_KEY)).body.sandboxes).toHaveLength(1);
    const exec = await call('POST', '/sandboxes/box/exec', { command: 'true' }, BOB_KEY);
    expect([exec.status, exec.body.error]).toEqual([403, 'access_denied']);
    expect(await redeem(token)).toMatchObject({ status: 200 });
    expect(await stored()).toMatchObject({
      users: [{ identity: 'bob', level: 'viewer', link: id }],
      shareLinks: [{ id, usedCount: 1 }],
    });
    const patches = harness.calls.filter(({ method }) => method === 'patch');
    expect(patches.at(-1)?.given[3]).toMatchObject({ impersonate: { user: 'agenttier:bob' } });
  });

  it('cost the owner no use', async () => {
    const { token } = await make({ maxUses: 1 });
    expect((await redeem(token, ANN_KEY)).status).toBe(200);
    expect((await redeem(token, BOB_KEY)).status).toBe(200);
  });

  it('are 410 when spent, 404 when closed, wrong, or on two sandboxes', async () => {
    const once = await make({ maxUses: 1 });
    await redeem(once.token, BOB_KEY);
    await call('DELETE', '/sandboxes/box/share/bob');
    expect((await redeem(once.token)).status).toBe(410);
    expect((await call('DELETE', `/sandboxes/box/share-links/${once.id}`)).status).toBe(200);
    expect((await redeem(once.token)).status).toBe(404);
    expect((await call('DELETE', `/sandboxes/box/share-links/${once.id}`)).status).toBe(404);
    expect((await redeem('no-token')).status).toBe(404);
    const { token } = await make();
    const link = { id: 'copied', tokenHash: hashToken(token), level: 'viewer' } as const;
    await harness.add({
      name: 'trap',
      owner: 'eve',
      phase: 'Stopped',
      spec: { sharing: { shareLinks: [link] } },
    });
    expect((await redeem(token)).status).toBe(404);
  });

  it('are 410 when their time is over', async () => {
    const link = { id: 'old', tokenHash: hashToken('x'.repeat(43)), level: 'viewer' } as const;
    const shareLinks = [{ ...link, expiresAt: '2020-01-01T00:00:00Z' }];
    await harness.add({ name: 'past', phase: 'Stopped', spec: { sharing: { shareLinks } } });
    expect((await redeem('x'.repeat(43))).status).toBe(410);
  });

  it('leave those in place who came by them, or take them away with them', async () => {
    const kept = await make();
    await redeem(kept.token);
    await call('DELETE', `/sandboxes/box/share-links/${kept.id}`);
    expect((await call('GET', '/sandboxes/box', undefined, BOB_KEY)).status).toBe(200);
    await call('DELETE', '/sandboxes/box/share/bob');
    const taken = await make();
    await redeem(taken.token);
    await call('DELETE', `/sandboxes/box/share-links/${taken.id}?people=true`);
    expect((await call('GET', '/sandboxes/box', undefined, BOB_KEY)).status).toBe(404);
  });

  it.each(['soon', '0', '-1h', '1d'])('refuse the time %s', async (expiresIn) => {
    const answer = await call('POST', '/sandboxes/box/share-links', { expiresIn });
    expect([answer.status, answer.body.violations?.[0]?.field]).toEqual([400, 'expiresIn']);
  });

  it('are not for scoped keys', async () => {
    const key = 'atk_scoped-0123456789abcdefghijkl';
    harness.router.stores.apiKeys.applyWatch(keySecret(key, { userId: 'ann', sandboxId: 'box' }));
    expect((await call('POST', '/sandboxes/box/share-links', {}, key)).status).toBe(403);
    expect((await call('POST', '/share-links/redeem', { token: 'x'.repeat(43) }, key)).status).toBe(403);
  });
});
