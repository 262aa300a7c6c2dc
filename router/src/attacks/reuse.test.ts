// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ANN_KEY, BOB_KEY, Harness, keySecret } from '../testing/harness.ts';
import { refusedUpgrade } from '../testing/terminalClient.ts';

/** What somebody had of a sandbox opens nothing of another person's that got its name. */

const SCOPED_KEY = 'atk_scoped-0123456789abcdefghijklm';
const HOST = '3000--box--default.preview.example.com';
let harness: Harness;
let oldUid = '';

beforeEach(async () => {
  harness = await Harness.start({ preview: { domain: 'preview.example.com', scheme: 'https' } });
  const box = await harness.add({
    name: 'box',
    spec: { createdBy: { sub: 'ann' }, ports: [{ port: 3000 }] },
  });
  oldUid = box.metadata.uid ?? '';
  const scoped = {
    userId: 'ann',
    sandboxId: 'box',
    sandboxUid: oldUid,
    actionGroups: ['terminal', 'ports', 'exec'],
  };
  harness.router.stores.apiKeys.applyWatch(keySecret(SCOPED_KEY, scoped));
});
afterEach(() => harness.stop());

/** Deletes it, and makes one of Bob's under its name. */
async function handOver(): Promise<void> {
  const { sandboxes } = harness.router.stores;
  const old = sandboxes.get('default', 'box');
  if (old) sandboxes.deleteWatch(old);
  await harness.api.patch(
    SANDBOXES,
    { namespace: 'default', name: 'box' },
    { type: 'merge', body: { metadata: { finalizers: [] } } },
  );
  await harness.api.delete(SANDBOXES, { namespace: 'default', name: 'box' }).catch(() => undefined);
  const fresh = await harness.add({
    name: 'box',
    owner: 'bob',
    uid: 'of-bob',
    spec: { createdBy: { sub: 'bob' }, ports: [{ port: 3000 }] },
  });
  expect(fresh.metadata.uid).not.toBe(oldUid);
  expect((await harness.call('GET', '/api/v1/sandboxes/box', { key: BOB_KEY })).status).toBe(200);
}

const statusOf = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = httpRequest(`${harness.url}${path}`, { headers: { host: HOST } }, (answer) =>
      resolve(answer.resume().statusCode ?? 0),
    );
    asked.once('error', reject);
    asked.end();
  });

it('no person, and no key of one sandbox', async () => {
  await handOver();
  for (const path of ['', '/ports', '/stat?path=/', '/preview/3000/']) {
    const asked = `/api/v1/sandboxes/box${path}`;
    expect((await harness.call('GET', asked, { key: ANN_KEY })).status).toBe(404);
    expect([403, 404]).toContain((await harness.call('GET', asked, { key: SCOPED_KEY })).status);
  }
});

it('no ticket for a terminal', async () => {
  const { body } = await harness.call('POST', '/api/v1/sandboxes/box/terminal-tickets');
  expect(body.ticket).toMatch(/^tkt_/);
  await handOver();
  const refused = await refusedUpgrade(`${harness.url}/ws/terminal/box?ticket=${body.ticket}`, { key: '' });
  expect([401, 403, 404]).toContain(refused.status);
});

it('no ticket for a preview', async () => {
  const { body } = await harness.call('POST', '/api/v1/sandboxes/box/ports/3000/preview-tickets', {
    body: {},
  });
  const { pathname, search } = new URL(body.url);
  await handOver();
  expect(await statusOf(pathname + search)).toBe(401);
});
