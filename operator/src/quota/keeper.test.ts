// SPDX-License-Identifier: Apache-2.0
import type { GovernancePolicy, Sandbox } from '@agenttier/crds/generated/types';
import { GOVERNANCE_POLICIES, SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { MemoryApi } from '@agenttier/machinery/testing/memoryApi';
import { describe, expect, it } from 'vitest';
import { createCaches } from '../caches.ts';
import { SandboxCounts } from './counts.ts';
import { keepLedger } from './keeper.ts';

const NOW = Date.parse('2026-01-01T00:01:00.000Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1_000).toISOString();
const signal = new AbortController().signal;

async function setup(reservations: object, spec: object = { maxSandboxesTotal: 5 }) {
  const api = new MemoryApi();
  const caches = createCaches();
  const counts = new SandboxCounts(caches.sandboxes);
  counts.follow();
  const policy = await api.create(GOVERNANCE_POLICIES, 'team', {
    metadata: { name: 'default', namespace: 'team' },
    spec,
    status: { reservations },
  } as KubeObject);
  caches.policies.applyWatch(policy as GovernancePolicy);
  const make = async (name: string): Promise<Sandbox> => {
    const body = {
      metadata: { name, namespace: 'team', generation: 1 },
      spec: { createdBy: { sub: 'alice' } },
    };
    return api.create<Sandbox>(SANDBOXES, 'team', body);
  };
  const keep = () => keepLedger({ client: api, caches, counts, now: () => NOW }, 'team', signal);
  const status = async () =>
    (await api.get<GovernancePolicy>(GOVERNANCE_POLICIES, { namespace: 'team', name: 'default' })).status;
  return { api, caches, make, keep, status };
}

describe('keepLedger', () => {
  it('drops what nothing came of, and keeps what may still come', async () => {
    const { keep, status } = await setup({
      lost: { at: ago(31), namespace: 'team', name: 'lost' },
      young: { at: ago(20), namespace: 'team', name: 'young' },
    });
    expect(await keep()).toBe(10_000);
    expect(Object.keys((await status())?.reservations ?? {})).toEqual(['young']);
  });

  it('keeps the room of a sandbox that its watch has not brought yet, however late', async () => {
    const { caches, make, keep, status, api } = await setup({});
    const sandbox = await make('one');
    const uid = sandbox.metadata.uid ?? '';
    const reservations = { [uid]: { at: ago(300), namespace: 'team', name: 'one' } };
    const policy = await api.patch<GovernancePolicy>(
      GOVERNANCE_POLICIES,
      { namespace: 'team', name: 'default' },
      { type: 'merge', body: { status: { reservations } } },
    );
    caches.policies.applyWatch(policy);
    await keep();
    expect(Object.keys((await status())?.reservations ?? {})).toEqual([uid]);
    caches.sandboxes.applyWatch(sandbox);
    await keep();
    expect(await status()).toMatchObject({ used: { sandboxes: 1 }, reservations: {} });
    caches.sandboxes.deleteWatch(sandbox);
    await keep();
    expect(await status()).toMatchObject({ used: { sandboxes: 0 }, reservations: {} });
  });

  it('loses no reservation that is made while it counts', async () => {
    const { api, keep, status } = await setup({});
    let once = true;
    api.before = async ({ verb }) => {
      if (verb !== 'update' || !once) return;
      once = false;
      const body = { status: { reservations: { fresh: { at: ago(0), namespace: 'team', name: 'fresh' } } } };
      await api.patch(GOVERNANCE_POLICIES, { namespace: 'team', name: 'default' }, { type: 'merge', body });
    };
    await keep();
    expect(await status()).toMatchObject({ used: { sandboxes: 0 }, reservations: { fresh: {} } });
  });

  it('forgets at once a sandbox that came and went between two counts, and writes only changes', async () => {
    const { api, caches, make, keep, status } = await setup({}, { maxSandboxesPerUser: 2 });
    const sandbox = await make('one');
    const reservations = { [sandbox.metadata.uid ?? '']: { at: ago(1), namespace: 'team', name: 'one' } };
    const key = { namespace: 'team', name: 'default' };
    const policy = await api.patch<GovernancePolicy>(GOVERNANCE_POLICIES, key, {
      type: 'merge',
      body: { status: { reservations } },
    });
    caches.policies.applyWatch(policy);
    caches.sandboxes.applyWatch(sandbox);
    caches.sandboxes.deleteWatch(sandbox);
    await keep();
    expect(await status()).toMatchObject({ used: { sandboxes: 0, perUser: {} }, reservations: {} });
    api.calls.length = 0;
    expect(await keep()).toBe(60_000);
    expect(api.calls).toEqual([]);
  });
});
