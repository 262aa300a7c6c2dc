// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN_KEY, BOB_KEY, Harness } from '../../testing/harness.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
  for (const name of ['a', 'b', 'c', 'd', 'e']) await harness.add({ name, phase: 'Stopped' });
  const sharing = { users: [{ identity: 'bob', level: 'viewer' as const }] };
  const spec = { templateRef: { name: 'shell' }, createdBy: { sub: 'ann' }, sharing };
  await harness.add({ name: 'shared', phase: 'Stopped', spec });
});
afterAll(() => harness.stop());

const namesIn = ({ body }: { body: { sandboxes: { name: string }[] } }): string[] =>
  body.sandboxes.map(({ name }) => name);

it('comes in pages that together are the list', async () => {
  const all = namesIn(await harness.call('GET', '/api/v1/sandboxes'));
  const seen: string[] = [];
  let more = '';
  for (let pages = 1; ; pages++) {
    const page = await harness.call('GET', `/api/v1/sandboxes?limit=4${more}`);
    seen.push(...namesIn(page));
    if (page.body.continue === undefined) {
      expect(pages).toBe(2);
      break;
    }
    more = `&continue=${page.body.continue}`;
  }
  expect(seen).toEqual(all);
  expect(seen).toHaveLength(6);
});

it.each(['limit=0', 'limit=x', 'limit=1001', 'continue=nonsense'])('refuses %s', async (query) => {
  expect(await harness.call('GET', `/api/v1/sandboxes?${query}`)).toMatchObject({ status: 400 });
});

it('shows what others share, and to administrators everything', async () => {
  expect(namesIn(await harness.call('GET', '/api/v1/sandboxes', { key: BOB_KEY }))).toEqual(['shared']);
  expect(namesIn(await harness.call('GET', '/api/v1/sandboxes', { key: ADMIN_KEY }))).toHaveLength(6);
});

it.each(['/api/v1/sandboxes', '/api/v1/sandboxes/e', '/api/v1/templates', '/api/v1/user/me'])(
  'is told only once what %s says, until it changes',
  async (path) => {
    const first = await harness.call('GET', path);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^(W\/)?"[\w-]+"$/);
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    const again = await harness.call('GET', path, { headers: { 'If-None-Match': `"other", ${etag}` } });
    expect(again).toMatchObject({ status: 304, body: '' });
    expect(await harness.call('GET', path, { headers: { 'If-None-Match': '"other"' } })).toMatchObject({
      status: 200,
      body: first.body,
    });
  },
);

it('has another tag after a change, and for another page', async () => {
  const tag = async (path = '/api/v1/sandboxes') => (await harness.call('GET', path)).headers.get('etag');
  const [before, page] = [await tag(), await tag('/api/v1/sandboxes?limit=4')];
  expect(page).not.toBe(before);
  const sandbox = harness.router.stores.sandboxes.get('default', 'a');
  if (!sandbox) throw new Error('no sandbox a');
  harness.change(sandbox, { status: { phase: 'Running' } });
  expect(await tag()).not.toBe(before);
});

it('asks the API server nothing', async () => {
  const before = harness.calls.length;
  await harness.call('GET', '/api/v1/sandboxes');
  await harness.call('GET', '/api/v1/sandboxes?limit=2&status=Stopped&namespace=default');
  await harness.call('GET', '/api/v1/sandboxes/b');
  expect(harness.calls.slice(before)).toEqual([]);
});
