// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BOB_KEY, Harness } from './testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

/** What somebody would send who hopes that it reaches the API server. */
const FORGED = {
  'Impersonate-User': 'forged-admin',
  'Impersonate-Group': 'forged:masters',
  'Impersonate-Uid': 'forged-uid',
  'Impersonate-Extra-Agenttier.io%2Femail': 'forged@example.com',
  'X-Remote-User': 'forged-admin',
  'X-Remote-Group': 'forged:masters',
  'X-Forwarded-User': 'forged-admin',
};

const template = { name: 'shell', kind: 'ClusterSandboxTemplate' };

describe('who the router writes as', () => {
  it('is the bearer of the key, whatever the headers say', async () => {
    await harness.add({ name: 'old' });
    const before = harness.calls.length;
    const answers = [
      await harness.call('POST', '/api/v1/sandboxes', {
        headers: FORGED,
        body: { name: 'new', templateRef: template },
      }),
      await harness.call('POST', '/api/v1/sandboxes/old/stop', { headers: FORGED }),
      await harness.call('DELETE', '/api/v1/sandboxes/old', { headers: FORGED }),
    ];
    expect(answers.map(({ status }) => status < 300)).toEqual([true, true, true]);
    const writes = harness.calls
      .slice(before)
      .filter(({ method }) => ['create', 'update', 'apply', 'patch', 'delete', 'raw'].includes(method));
    expect(writes.length).toBeGreaterThanOrEqual(3);
    for (const { given } of writes) {
      expect(given.at(-1)).toMatchObject({
        impersonate: {
          user: 'agenttier:ann',
          groups: ['agenttier:users', 'system:authenticated'],
          extra: { 'agenttier.io/email': ['ann@example.com'] },
        },
      });
      expect(JSON.stringify(given)).not.toContain('forged');
    }
  });

  it("opens nobody else's sandbox", async () => {
    await harness.add({ name: 'old' });
    const forged = { ...FORGED, 'Impersonate-User': 'agenttier:ann' };
    const answer = await harness.call('DELETE', '/api/v1/sandboxes/old', { key: BOB_KEY, headers: forged });
    expect(answer.status).toBeGreaterThanOrEqual(403);
    expect(
      (await harness.api.get(SANDBOXES, { namespace: 'default', name: 'old' })).metadata.deletionTimestamp,
    ).toBeUndefined();
  });
});
