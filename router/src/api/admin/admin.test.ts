// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN_KEY, Harness, keySecret } from '../../testing/harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
  const sharing = {
    users: [{ identity: 'bob', level: 'viewer' as const }],
    shareLinks: [{ id: 'l1', tokenHash: 'a'.repeat(64), level: 'viewer' as const, maxUses: 1 }],
  };
  await harness.add({ name: 'one' });
  await harness.add({ name: 'two', namespace: 'team', owner: 'bob' });
  const spec = { templateRef: { name: 'shell' }, createdBy: { sub: 'ann' }, sharing };
  await harness.add({ name: 'shared', spec });
  const record = { userId: 'ann', name: 'ci', sandboxId: 'one', actionGroups: ['stop'] };
  harness.router.stores.apiKeys.applyWatch(keySecret('atk_bound-0123456789abcdefghijklmn', record));
});
afterAll(() => harness.stop());

const get = (path: string, key = ADMIN_KEY) => harness.call('GET', `/api/v1/admin/${path}`, { key });
const names = ({ body }: { body: { sandboxes: { sandboxId: string }[] } }) =>
  body.sandboxes.map(({ sandboxId }) => sandboxId).sort();

it('shows administrators everything, with the keys that are bound to it', async () => {
  const answer = await get('sandboxes');
  expect(names(answer)).toEqual(['one', 'shared', 'two']);
  const [one] = answer.body.sandboxes.filter(({ sandboxId }: { sandboxId: string }) => sandboxId === 'one');
  expect(one.scopedApiKeys).toMatchObject([{ name: 'ci', userId: 'ann', actionGroups: ['stop'] }]);
  expect(JSON.stringify(answer.body)).not.toContain('keyHash');
  expect(names(await get('sandboxes?namespace=team'))).toEqual(['two']);
  const page = await get('sandboxes?limit=2');
  expect(names(await get(`sandboxes?limit=2&continue=${page.body.continue}`))).toHaveLength(1);
});

it('shows them what is shared, and never what a link is proved by', async () => {
  const { body } = await get('sharing');
  expect(body.sandboxes).toEqual([
    {
      sandboxId: 'shared',
      namespace: 'default',
      createdBy: expect.objectContaining({ sub: 'ann' }),
      users: [{ identity: 'bob', level: 'viewer' }],
      groups: [],
      shareLinks: [{ id: 'l1', level: 'viewer', expiresAt: null, maxUses: 1, usedCount: 0 }],
    },
  ]);
  expect((await get('sharing?namespace=team')).body).toEqual({ sandboxes: [] });
});

it.each(['sandboxes', 'sharing'])('keeps %s from everybody else', async (path) => {
  expect(await harness.call('GET', `/api/v1/admin/${path}`)).toMatchObject({
    status: 403,
    body: { error: 'admin_required' },
  });
});
