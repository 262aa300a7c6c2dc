// SPDX-License-Identifier: Apache-2.0
import { FIELD_MANAGER_OPERATOR, ownedLabels } from '@agenttier/crds/meta/labels';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { systemClock } from '@agenttier/machinery/runtime/clock';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { beforeAll, expect, it } from 'vitest';
import { resolve } from 'node:path';
import { installCrds } from '../../../e2e/envtest/crds.ts';
import { adminClient, freshNamespace } from '../../../e2e/envtest/server.ts';
import { createCaches } from '../caches.ts';
import { OrphanSweep } from './orphanSweep.ts';

const { signal } = new AbortController();

beforeAll(async () => {
  await installCrds(await adminClient(), resolve(import.meta.dirname, '../../../crds'));
});

it('tells by what the API server keeps who made an object: ours goes, a copy of it stays', async () => {
  const client = await adminClient();
  const namespace = await freshNamespace('sweep');
  const caches = createCaches();
  const body = (name: string): KubeObject => ({
    metadata: { name, namespace, labels: ownedLabels('one', '00000000-0000-0000-0000-000000000001') },
  });
  const ours = await client.create(SECRETS, namespace, body('ours'), {
    fieldManager: FIELD_MANAGER_OPERATOR,
  });
  const copy = await client.create(SECRETS, namespace, body('copy'), { fieldManager: 'kubectl-create' });
  for (const one of [ours, copy]) caches.secrets.applyWatch(one);
  // An hour later, as the object's age is what the API server says it is.
  const clock = { ...systemClock, now: () => Date.now() + 3_600_000 };
  const sweep = new OrphanSweep({ client, caches, log: silentLogger, clock });
  expect(await sweep.sweep(signal)).toBe(0);
  expect(await sweep.sweep(signal)).toBe(1);
  const { items } = await client.list(SECRETS, { namespace });
  expect(items.map(({ metadata }) => metadata.name)).toEqual(['copy']);
});
