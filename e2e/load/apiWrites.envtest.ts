// SPDX-License-Identifier: Apache-2.0
import { NETWORK_POLICIES, SERVICE_ACCOUNTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { adminClient, freshNamespace } from '../envtest/server.ts';
import { claimWrites } from './apiWrites.ts';
import { PhaseWatch } from './phaseWatch.ts';

let client: KubeClient;
let namespace: string;

beforeAll(async () => {
  client = await adminClient();
  namespace = await freshNamespace('writes');
});

afterAll(() => client.close());

it('counts the writes of a claim, and not those of a refill', async () => {
  const policy = {
    metadata: { name: 'p', namespace },
    spec: { podSelector: {}, policyTypes: ['Ingress'] },
  } as KubeObject;
  await client.create(NETWORK_POLICIES, namespace, policy);
  const before = await claimWrites(client);
  await client.create(NETWORK_POLICIES, namespace, { ...policy, metadata: { name: 'q' } });
  expect(await claimWrites(client)).toBe(before);
  await client.apply(NETWORK_POLICIES, policy, { fieldManager: 'test', force: true });
  await client.create(SERVICE_ACCOUNTS, namespace, { metadata: { name: 's' } });
  expect(await claimWrites(client)).toBe(before + 2);
});

it('sees a sandbox that is Running, and which way it started', async () => {
  const watch = new PhaseWatch(client, namespace);
  await client.create(SANDBOXES, namespace, { metadata: { name: 'one' }, spec: {} } as KubeObject);
  const body = { status: { phase: 'Running', startup: { path: 'warm', totalMs: 1 } } };
  await client.patch(
    SANDBOXES,
    { namespace, name: 'one' },
    { type: 'merge', body },
    { subresource: 'status' },
  );
  expect(await watch.running('one')).toMatchObject({ path: 'warm' });
  await watch.close();
});
