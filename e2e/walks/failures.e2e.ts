// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { apply, getJson, kubectl, minimalSandbox, ok, until, untilPhase, walkNamespace } from './harness.ts';
import { webhookToKill } from './webhooks.ts';

const count = 20;
const names = Array.from({ length: count }, (_, index) => `burst-${index}`);

describe('the leading operator and one webhook die during twenty creates', () => {
  const namespace = walkNamespace('walk-failures');

  it('all twenty end Running', async () => {
    const lease = await getJson(['lease', 'agenttier-operator', '-n', 'agenttier']);
    const leader = (lease.spec.holderIdentity as string).split('_')[0] ?? '';
    const victim = await webhookToKill();
    const small = '  resources:\n    requests: { cpu: 5m, memory: 16Mi }\n    limits: { memory: 64Mi }\n';
    const create = async (name: string) => {
      // A webhook that dies with a request in its hands gives that request's sender an error to retry on.
      await until(`${name} to be accepted`, async () => {
        const outcome = await apply(minimalSandbox(name, small), namespace());
        return outcome.code === 0;
      });
    };
    const creates = (async () => {
      for (const name of names) await create(name);
    })();
    await until(
      'five sandboxes to exist',
      async () => (await getJson(['sandboxes', '-n', namespace()])).items.length >= 5,
    );
    await Promise.all([
      ok(kubectl(['delete', 'pod', leader, '-n', 'agenttier', '--grace-period=0', '--force'])),
      ok(kubectl(['delete', 'pod', victim, '-n', 'agenttier', '--grace-period=0', '--force'])),
    ]);
    await creates;
    for (const name of names) await untilPhase(name, namespace(), 'Running', 240_000);
    const pods = await getJson(['pods', '-n', namespace()]);
    expect(pods.items).toHaveLength(count);
    const after = await getJson(['lease', 'agenttier-operator', '-n', 'agenttier']);
    expect(after.spec.holderIdentity).not.toContain(leader);
  });
});
