// SPDX-License-Identifier: Apache-2.0
import type { GovernancePolicy, Sandbox } from '@agenttier/crds/generated/types';
import { GOVERNANCE_POLICIES, SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { createLogger } from '@agenttier/machinery/telemetry/log';
import { MemoryApi } from '@agenttier/machinery/testing/memoryApi';
import { expect, it, vi } from 'vitest';
import { createCaches } from '../caches.ts';
import { keepQuotas } from './controller.ts';

const KEY = { namespace: 'team', name: 'default' };

it('counts only when its cache knows the latest state of what exists', async () => {
  const api = new MemoryApi();
  const caches = createCaches();
  const resources = { limits: { cpu: '2' } };
  const stored = await api.create<Sandbox>(SANDBOXES, 'team', {
    metadata: { name: 'one', namespace: 'team', generation: 2 },
    spec: { resources, desiredState: 'Running' },
  });
  // What a former leader counted: the sandbox runs. This one's watch has not brought that yet.
  const policy = await api.create(GOVERNANCE_POLICIES, 'team', {
    metadata: KEY,
    spec: { total: { cpu: '2' } },
    status: { used: { sandboxes: 1, cpu: '2' } },
  } as KubeObject);
  caches.policies.applyWatch(policy as GovernancePolicy);
  const metadata = { ...stored.metadata, generation: 1, resourceVersion: '0' };
  caches.sandboxes.applyWatch({ ...stored, metadata, spec: { resources, desiredState: 'Stopped' } });

  const stop = new AbortController();
  const log = createLogger({ component: 'operator', level: 'silent' });
  const done = keepQuotas({ client: api, caches, log }, stop.signal);
  const looks = () => api.calls.filter(({ verb, resource }) => verb === 'get' && resource === SANDBOXES);
  const writes = () => api.calls.filter(({ verb }) => verb === 'update');
  await vi.waitFor(() => expect(looks().length).toBeGreaterThan(2));
  expect(writes()).toEqual([]);

  caches.sandboxes.applyWatch(stored);
  await vi.waitFor(() => expect(writes()).not.toEqual([]));
  const { status } = await api.get<GovernancePolicy>(GOVERNANCE_POLICIES, KEY);
  expect(status?.used).toMatchObject({ sandboxes: 1, cpu: '2' });
  stop.abort();
  await done;
});
