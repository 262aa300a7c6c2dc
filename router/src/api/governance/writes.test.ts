// SPDX-License-Identifier: Apache-2.0
import {
  CLUSTER_GOVERNANCE_POLICIES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
} from '@agenttier/crds/meta/resources';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN_KEY, Harness, keySecret } from '../../testing/harness.ts';

let harness: Harness;
beforeAll(async () => void (harness = await Harness.start()));
afterAll(() => harness.stop());

const ALL = '/api/v1/governance/policies';
const TEAM = `${ALL}/team`;

const put = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  harness.call('PUT', path, { key: ADMIN_KEY, body, headers });

it('begins with none', async () => {
  expect((await harness.call('GET', ALL)).body).toEqual({ cluster: null, namespaces: [] });
  expect((await harness.call('GET', TEAM)).body).toEqual({ namespace: 'team', policy: {} });
});

it('sets, shows and takes away the policies of the cluster and of a namespace', async () => {
  expect(await put(ALL, { maxCpu: '4' })).toMatchObject({
    status: 200,
    body: { scope: 'cluster', policy: { maxCpu: '4' } },
  });
  expect(await put(TEAM, { maxCpu: '2', maxConcurrentInvokesPerSandbox: 3 })).toMatchObject({
    status: 200,
    body: { namespace: 'team', policy: { maxCpu: '2', maxConcurrentInvokesPerSandbox: 3 } },
  });
  const { body } = await harness.call('GET', ALL);
  expect(body).toEqual({
    cluster: { maxCpu: '4' },
    clusterVersion: expect.stringMatching(/^\d+$/),
    namespaces: [
      {
        namespace: 'team',
        policy: { maxCpu: '2', maxConcurrentInvokesPerSandbox: 3 },
        resourceVersion: expect.stringMatching(/^\d+$/),
      },
    ],
  });
  // With what a list says a change can be made of what was read only.
  const version = { 'If-Match': `"${body.clusterVersion}"` };
  expect((await put(ALL, { maxCpu: '5' }, version)).status).toBe(200);
  expect((await put(ALL, { maxCpu: '6' }, version)).status).toBe(412);
  // The whole policy is replaced: what the body leaves out sets no limit any more.
  expect((await put(TEAM, { maxMemory: '1Gi' })).body.policy).toEqual({ maxMemory: '1Gi' });
  expect((await harness.call('DELETE', TEAM, { key: ADMIN_KEY })).status).toBe(204);
  expect((await harness.call('DELETE', TEAM, { key: ADMIN_KEY })).status).toBe(204);
  expect((await harness.call('GET', TEAM)).body.policy).toEqual({});
});

it('combines agent limits of both, which earlier systems lost', async () => {
  await put(ALL, { maxAgentSandboxes: 5, allowedAgentImages: ['a'], maxConcurrentInvokesPerSandbox: 4 });
  await put(TEAM, { maxAgentSandboxes: 2, allowedAgentImages: ['b'], maxConcurrentInvokesPerSandbox: 9 });
  const { body } = await harness.call('GET', '/api/v1/governance/effective?namespace=team');
  expect(body.policy).toMatchObject({ maxAgentSandboxes: 2, maxConcurrentInvokesPerSandbox: 4 });
  const lists = body.fields.filter(({ field }: { field: string }) => field === 'allowedAgentImages');
  expect(lists).toHaveLength(2);
});

it('refuses a change that was made from an old state', async () => {
  await put(TEAM, { maxCpu: '1' });
  const etag = (await harness.call('GET', TEAM)).headers.get('etag') ?? '';
  expect(etag).toMatch(/^"\d+"$/);
  expect((await put(TEAM, { maxCpu: '2' }, { 'If-Match': etag })).status).toBe(200);
  expect(await put(TEAM, { maxCpu: '3' }, { 'If-Match': etag })).toMatchObject({
    status: 412,
    body: { current: { policy: { maxCpu: '2' } } },
  });
});

it('says how many sandboxes it would refuse, once they are counted', async () => {
  await put(ALL, { maxCpu: '7' });
  await put(TEAM, { maxCpu: '6' });
  const count = async (namespace: string | undefined, wouldViolate: number, behind = 0): Promise<void> => {
    const resource = namespace === undefined ? CLUSTER_GOVERNANCE_POLICIES : GOVERNANCE_POLICIES;
    const key = { namespace, name: POLICY_NAME };
    const status = { wouldViolate, observedGeneration: 4 - behind };
    await harness.api.patch(resource, key, { type: 'merge', body: { metadata: { generation: 4 }, status } });
  };
  const said = async () => {
    const { clusterWouldViolate, namespaces } = (await harness.call('GET', ALL)).body;
    const { wouldViolate } = (await harness.call('GET', TEAM)).body;
    expect(namespaces[0].wouldViolate).toBe(wouldViolate);
    return { clusterWouldViolate, wouldViolate };
  };
  expect(await said()).toEqual({});
  await count(undefined, 3);
  await count('team', 0);
  expect(await said()).toEqual({ clusterWouldViolate: 3, wouldViolate: 0 });
  // The number is about the text before.
  await count('team', 2, 1);
  expect(await said()).toEqual({ clusterWouldViolate: 3 });
});

it('names in a dry run the sandboxes that it would refuse', async () => {
  const resolved = (cpu: string) => ({
    resolved: { hash: 'h', chain: [], origins: {}, spec: { resources: { limits: { cpu } } } },
  });
  await harness.add({ name: 'large', namespace: 'judged', spec: resolved('8') });
  await harness.add({ name: 'small', namespace: 'judged', spec: resolved('1') });
  await harness.add({ name: 'elsewhere', namespace: 'other', spec: resolved('9') });
  const judged = '/api/v1/governance/policies/judged';
  const dry = await put(`${judged}?dryRun=true`, { maxCpu: '2' });
  expect(dry).toMatchObject({
    status: 200,
    body: { wouldViolate: 1, violators: [{ namespace: 'judged', name: 'large' }] },
  });
  expect(dry.body.violators[0].violations[0].message).toContain('8');
  expect((await harness.call('GET', judged)).body.policy).toEqual({});
  const all = await put(`${ALL}?dryRun=true`, { maxCpu: '2' });
  expect(all.body.violators.map(({ name }: { name: string }) => name).toSorted()).toEqual([
    'elsewhere',
    'large',
  ]);
  expect((await put(judged, { maxCpu: '2' })).body).not.toHaveProperty('violators');
});

it('is written by administrators only, within the reach of their key', async () => {
  const body = { maxCpu: '1' };
  for (const path of [ALL, TEAM]) {
    expect(await harness.call('PUT', path, { body })).toMatchObject({ body: { error: 'admin_required' } });
  }
  const key = 'atk_narrow-0123456789abcdefghijklmn';
  const record = { userId: 'root', isAdmin: true, allowedNamespaces: ['other'] };
  harness.router.stores.apiKeys.applyWatch(keySecret(key, record));
  expect((await harness.call('PUT', TEAM, { key, body })).status).toBe(403);
  expect((await harness.call('GET', ALL, { key })).body.namespaces).toEqual([]);
});

it('refuses what is no name of a namespace', async () => {
  expect((await put(`${ALL}/Not_A_Name`, {})).status).toBe(400);
});
