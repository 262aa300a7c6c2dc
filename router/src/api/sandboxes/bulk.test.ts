// SPDX-License-Identifier: Apache-2.0
import { CLUSTER_GOVERNANCE_POLICIES, GOVERNANCE_POLICIES } from '@agenttier/crds/meta/resources';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, BOB_KEY, Harness } from '../../testing/harness.ts';
import { AT_ONCE, mapBatch } from './batch.ts';

let harness: Harness;
beforeAll(async () => void (harness = await Harness.start()));
afterAll(() => harness.stop());

const templateRef = { name: 'shell' };
const bulk = (items: unknown, query = '') =>
  harness.call('POST', `/api/v1/sandboxes/bulk${query}`, { body: { items } });
const named = (...names: string[]) => names.map((name) => ({ name, templateRef }));
const act = (action: string, ids: unknown, key?: string) =>
  harness.call('POST', '/api/v1/sandboxes/bulk-action', { body: { action, ids }, ...(key && { key }) });

describe('bulk creation', () => {
  it('says of each how it went', async () => {
    const answer = await bulk([...named('b1'), { templateRef }, ...named('b1', 'b2'), 'text']);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        results: [
          { index: 0, status: 'created', sandboxId: 'b1', namespace: 'default' },
          { index: 1, status: 'error', error: 'name: is required', violations: [{ field: 'name' }] },
          { index: 2, status: 'error', error: expect.stringContaining('already exists') },
          { index: 3, status: 'created', sandboxId: 'b2' },
          { index: 4, status: 'error' },
        ],
      },
    });
    const { body } = await harness.call('GET', '/api/v1/sandboxes', { key: ADMIN_KEY });
    expect(body.sandboxes).toHaveLength(2);
  });

  it.each([
    ['none', []],
    ['too many', named(...Array.from({ length: 101 }, (_, i) => `n${i}`))],
  ])('refuses %s', async (_, items) => {
    expect(await bulk(items)).toMatchObject({ status: 400, body: { violations: [{ field: 'items' }] } });
  });

  it('stores nothing in a dry run', async () => {
    expect((await bulk(named('dry'), '?dryRun=true')).body.results[0].status).toBe('created');
    expect((await harness.call('GET', '/api/v1/sandboxes/dry')).status).toBe(404);
  });

  it('refuses the whole batch that the quota has no room for', async () => {
    const cluster = { metadata: { name: 'default' }, spec: { maxSandboxesPerUser: 5, maxAgentSandboxes: 1 } };
    const status = { used: { sandboxes: 9, agentSandboxes: 0, perUser: { ann: 3, bob: 5 } } };
    await harness.api.create(CLUSTER_GOVERNANCE_POLICIES, undefined, { ...cluster, status } as KubeObject);
    const refused = await bulk(named('q1', 'q2', 'q3'));
    expect(refused).toMatchObject({
      status: 409,
      body: {
        error: 'quota_would_exceed',
        namespace: 'default',
        violations: [{ code: 'user_quota_exceeded', limit: 5, actual: 6, scope: 'cluster' }],
      },
    });
    expect((await harness.call('GET', '/api/v1/sandboxes/q1')).status).toBe(404);
    const agents = await bulk(named('a1', 'a2').map((one) => ({ ...one, mode: 'agent' })));
    expect(agents.body.violations).toMatchObject([{ code: 'agent_sandbox_quota_exceeded' }]);
    expect((await bulk(named('q1', 'q2'))).status).toBe(200);
  });

  it('counts for a namespace its own part of the batch', async () => {
    const metadata = { name: 'default', namespace: 'team' };
    const policy = { metadata, spec: { maxSandboxesTotal: 1 }, status: { used: { sandboxes: 0 } } };
    await harness.api.create(GOVERNANCE_POLICIES, 'team', policy);
    const inTeam = named('t1', 't2').map((one) => ({ ...one, namespace: 'team' }));
    expect((await bulk([...inTeam.slice(0, 1), ...named('e1')], '')).status).toBe(200);
    expect((await bulk(inTeam)).body).toMatchObject({ error: 'quota_would_exceed', namespace: 'team' });
  });
});

describe('bulk action', () => {
  it('does to each what was asked, in the words of one', async () => {
    await harness.add({ name: 'run1' });
    await harness.add({ name: 'rest1', phase: 'Stopped' });
    const answer = await act('stop', ['run1', 'rest1', 'gone', 'run1']);
    expect(answer.body.results).toEqual([
      { id: 'run1', status: 'ok' },
      { id: 'rest1', status: 'error', error: 'sandbox rest1 is Stopped, not Running' },
      { id: 'gone', status: 'error', error: 'sandbox gone not found' },
    ]);
    expect((await act('delete', ['run1', 'rest1'], BOB_KEY)).body.results).toMatchObject([
      { error: 'sandbox run1 not found' },
      { error: 'sandbox rest1 not found' },
    ]);
    expect((await act('resume', ['rest1'])).body.results).toEqual([{ id: 'rest1', status: 'ok' }]);
    expect((await act('delete', ['rest1'])).body.results).toEqual([{ id: 'rest1', status: 'ok' }]);
  });

  it.each([
    ['explode', ['a'], 'action'],
    ['stop', [], 'ids'],
    ['stop', 'a', 'ids'],
    ['stop', Array.from({ length: 101 }, (_, i) => `n${i}`), 'ids'],
  ])('refuses %s of %j', async (action, ids, field) => {
    expect(await act(action, ids)).toMatchObject({ status: 400, body: { violations: [{ field }] } });
  });
});

it('keeps few under way, in the order of the batch', async () => {
  let under = 0;
  let most = 0;
  const results = await mapBatch([...Array(30).keys()], async (item) => {
    most = Math.max(most, ++under);
    await new Promise((resolve) => setImmediate(resolve));
    under--;
    return item * 2;
  });
  expect(most).toBe(AT_ONCE);
  expect(results).toEqual([...Array(30).keys()].map((item) => item * 2));
});
