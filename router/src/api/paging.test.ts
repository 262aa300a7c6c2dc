// SPDX-License-Identifier: Apache-2.0
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ANN_KEY, Harness, keySecret } from '../testing/harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  const { stores } = harness.router;
  const box = await harness.add({ name: 'box', phase: 'Stopped' });
  for (let n = 0; n < 5; n++) {
    const metadata = { name: `n${n}`, namespace: 'default', uid: `u${n}`, resourceVersion: '1' };
    stores.warmPools.applyWatch({ metadata, spec: { templateRef: { name: 't' }, replicas: 1 } });
    stores.subscriptions.applyWatch({
      metadata: { ...metadata, creationTimestamp: '2026-06-01T12:00:00Z' },
      spec: { url: 'https://x.example', secretRef: { name: 'k' }, createdBy: { sub: 'ann' } },
    });
    stores.apiKeys.applyWatch(keySecret(`atk_paged${n}-0123456789abcdefghijkl`, { userId: 'ann' }));
    const labels = {
      'agenttier.io/sandbox-uid': box.metadata.uid ?? '',
      'agenttier.io/snapshot-kind': 'backup',
    };
    // Two of one moment, so that a page may end between them.
    const status = { readyToUse: true, creationTime: `2026-06-0${1 + Math.floor(n / 2)}T12:00:00Z` };
    const snapshot = { metadata: { name: `n${n}`, namespace: 'default', labels }, status };
    await harness.api.create(VOLUME_SNAPSHOTS, 'default', snapshot);
  }
});
afterAll(() => harness.stop());

it.each([
  ['/warmpools', 'pools'],
  ['/webhooks', 'webhooks'],
  ['/user/api-keys', 'keys'],
  ['/sandboxes/box/backups', 'backups'],
])('%s comes whole, or page by page in the same order', async (path, field) => {
  const read = async (query: string) =>
    (await harness.call('GET', `/api/v1${path}${query}`, { key: ANN_KEY })).body;
  const whole = await read('');
  expect(whole[field].length).toBeGreaterThanOrEqual(5);
  expect(whole).not.toHaveProperty('continue');
  const seen: unknown[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page: Record<string, unknown[]> & { continue?: string } = await read(
      `?limit=2${cursor && `&continue=${encodeURIComponent(cursor)}`}`,
    );
    expect(page[field]?.length).toBeLessThanOrEqual(2);
    seen.push(...(page[field] ?? []));
    cursor = page.continue;
  }
  expect(seen).toEqual(whole[field]);
  expect(await read('?continue=nonsense')).toHaveProperty('error');
});
