// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { SANDBOX_WARM_POOLS } from '@agenttier/crds/meta/resources';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, Harness } from '../../testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

type Pool = SandboxWarmPool & KubeObject;

const call = (method: string, path: string, body?: unknown, key = ADMIN_KEY) =>
  harness.call(method, `/api/v1${path}`, { key, ...(body === undefined ? {} : { body }) });

async function pool(name: string, template: string, more: Partial<Pool> = {}): Promise<void> {
  const made = await harness.api.create<Pool>(SANDBOX_WARM_POOLS, 'default', {
    metadata: { name, namespace: 'default' },
    spec: { templateRef: { name: template }, replicas: 3, maxAge: '1h' },
    status: { free: 2, building: 1 },
    ...more,
  });
  harness.router.stores.warmPools.applyWatch(made);
}

const stored = async (): Promise<[name: string, replicas: number | undefined][]> =>
  (await harness.api.list<Pool>(SANDBOX_WARM_POOLS)).items.map(({ metadata, spec }) => [
    metadata.name ?? '',
    spec.replicas,
  ]);

describe('the status of warm pools', () => {
  it('is empty without any, and of one also flat, as clients of old expect', async () => {
    expect((await call('GET', '/warmpool/status', undefined, ANN_KEY)).body).toEqual({});
    await pool('shells', 'shell');
    const flat = { template: 'shell', desiredCount: 3, readyCount: 2, pendingCount: 1 };
    expect((await call('GET', '/warmpool/status', undefined, ANN_KEY)).body).toMatchObject({
      ...flat,
      pools: [{ ...flat, name: 'shells', namespace: 'default' }],
    });
    await pool('more', 'python');
    const { body } = await call('GET', '/warmpool/status');
    expect(body.template).toBeUndefined();
    expect(body.pools.map((one: { template: string }) => one.template)).toEqual(['python', 'shell']);
  });
});

describe('the configuration of warm pools', () => {
  it('makes, scales and deletes, and leaves the rest of a pool as it is', async () => {
    await pool('my-shells', 'shell');
    await pool('old', 'ruby');
    const pools = [
      { template: 'shell', desiredCount: 5 },
      { template: 'python', desiredCount: 1 },
    ];
    const answer = await call('PUT', '/warmpool/config', { pools });
    expect(answer).toMatchObject({ status: 200, body: { status: 'updated', pools } });
    expect(await stored()).toEqual([
      ['my-shells', 5],
      ['python', 1],
    ]);
    const kept = await harness.api.get<Pool>(SANDBOX_WARM_POOLS, { namespace: 'default', name: 'my-shells' });
    expect(kept.spec.maxAge).toBe('1h');
    for (const { method, given } of harness.calls.filter(({ method }) => method !== 'watch')) {
      if (!['create', 'patch', 'delete'].includes(method) || given[0] !== SANDBOX_WARM_POOLS) continue;
      expect(given.at(-1)).toMatchObject({ impersonate: { user: 'agenttier:root' } });
    }
  });

  it('takes the form of one pool', async () => {
    expect((await call('PUT', '/warmpool/config', { template: 'shell', desiredCount: 2 })).status).toBe(200);
    expect(await stored()).toEqual([['shell', 2]]);
  });

  it.each([
    [{}, 'pools'],
    [{ pools: 'many' }, 'pools'],
    [{ pools: [{ desiredCount: 1 }] }, 'pools[0].template'],
    [{ pools: [{ template: 'shell', desiredCount: 11 }] }, 'pools[0].desiredCount'],
    [{ pools: [{ template: 'shell', desiredCount: 1.5 }] }, 'pools[0].desiredCount'],
    [{ pools: [null] }, 'pools[0].template'],
    [
      {
        pools: [
          { template: 'shell', desiredCount: 1 },
          { template: 'shell', desiredCount: 2 },
        ],
      },
      'pools[1].template',
    ],
  ])('refuses %j and changes nothing', async (body, field) => {
    await pool('old', 'ruby');
    const answer = await call('PUT', '/warmpool/config', body);
    expect([answer.status, answer.body.violations?.[0]?.field]).toEqual([400, field]);
    expect(await stored()).toEqual([['old', 3]]);
  });

  it('is for administrators', async () => {
    const answer = await call('PUT', '/warmpool/config', { pools: [] }, ANN_KEY);
    expect([answer.status, answer.body.error]).toEqual([403, 'admin_required']);
  });
});

describe('warm pools', () => {
  it('are created, read, replaced and deleted', async () => {
    const spec = { templateRef: { name: 'shell' }, replicas: 20 };
    const made = await call('POST', '/warmpools', { name: 'big', spec });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'big', namespace: 'default', desiredCount: 20, spec },
    });
    expect((await call('GET', '/warmpools/big', undefined, ANN_KEY)).body).toEqual(made.body);
    expect((await call('GET', '/warmpools', undefined, ANN_KEY)).body.pools).toHaveLength(1);
    const next = { spec: { templateRef: { name: 'shell' }, autoscale: { min: 2, max: 9 } } };
    const stale = await call('PUT', '/warmpools/big', { ...next, resourceVersion: '0' });
    expect(stale.status).toBe(409);
    const { resourceVersion } = made.body;
    const replaced = await call('PUT', '/warmpools/big', { ...next, resourceVersion });
    expect(replaced).toMatchObject({ status: 200, body: { desiredCount: 2, spec: next.spec } });
    expect(replaced.body.spec).not.toHaveProperty('replicas');
    expect((await call('DELETE', '/warmpools/big')).status).toBe(204);
    expect(await stored()).toEqual([]);
    expect((await call('GET', '/warmpools/none')).status).toBe(404);
  });

  it('are written by administrators', async () => {
    for (const [method, path, body] of [
      ['POST', '/warmpools', { name: 'x', spec: {} }],
      ['PUT', '/warmpools/x', { spec: {} }],
      ['DELETE', '/warmpools/x'],
    ] as const) {
      expect((await call(method, path, body, ANN_KEY)).status).toBe(403);
    }
  });
});
