// SPDX-License-Identifier: Apache-2.0
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../kube/client.ts';
import { LEASES } from '../kube/resource.ts';
import { until } from '../testing/until.ts';
import type { LeaseObject } from './candidate.ts';
import { runWithLease } from './lease.ts';

function candidate(client: KubeClient, namespace: string, identity: string) {
  const stop = new AbortController();
  const state = { leading: false, stop };
  const done = runWithLease({
    client,
    namespace,
    name: 'test',
    identity,
    leaseSeconds: 3,
    renewDeadline: 2,
    retryPeriod: 0.2,
    signal: stop.signal,
    onLead: async (signal) => {
      state.leading = true;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      state.leading = false;
    },
  });
  return Object.assign(state, { done });
}

describe('lease against a real API server', () => {
  it('has one leader of two, and hands over quickly', async () => {
    const client = await adminClient();
    const namespace = await freshNamespace('lease');
    const [a, b] = [candidate(client, namespace, 'a'), candidate(client, namespace, 'b')];
    await until(() => a.leading || b.leading);
    expect(a.leading && b.leading).toBe(false);
    const [leader, follower] = a.leading ? [a, b] : [b, a];
    leader.stop.abort();
    await leader.done;
    const startedAt = performance.now();
    await until(() => follower.leading);
    expect(performance.now() - startedAt).toBeLessThan(1500);
    const { spec } = await client.get<LeaseObject>(LEASES, { namespace, name: 'test' });
    expect(spec).toMatchObject({ holderIdentity: a.leading ? 'a' : 'b', leaseDurationSeconds: 3 });
    follower.stop.abort();
    await follower.done;
    expect(
      (await client.get<LeaseObject>(LEASES, { namespace, name: 'test' })).spec?.holderIdentity || '',
    ).toBe('');
  });

  it('takes over from a leader that is cut off', async () => {
    const client = await adminClient();
    const namespace = await freshNamespace('lease');
    let connected = true;
    const cut: KubeClient = Object.assign(Object.create(client) as KubeClient, {
      get: (...of: Parameters<KubeClient['get']>) => reach().then(() => client.get(...of)),
      create: (...of: Parameters<KubeClient['create']>) => reach().then(() => client.create(...of)),
      update: (...of: Parameters<KubeClient['update']>) => reach().then(() => client.update(...of)),
    });
    const reach = (): Promise<void> => (connected ? Promise.resolve() : Promise.reject(new Error('cut off')));
    const first = candidate(cut, namespace, 'a');
    await until(() => first.leading);
    const second = candidate(client, namespace, 'b');
    const lost = expect(first.done).rejects.toThrow('could not be renewed');
    connected = false;
    await until(() => second.leading, 'the second to lead', 15_000);
    expect(first.leading).toBe(false);
    await lost;
    second.stop.abort();
    await second.done;
  });
});
