// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PodResize } from '../../cluster/podResize.ts';
import { BOB_KEY, Harness } from '../../testing/harness.ts';

let harness: Harness;
beforeAll(async () => void (harness = await Harness.start()));
afterAll(() => harness.stop());

const patch = (name: string, body: unknown, query = '') =>
  harness.call('PATCH', `/api/v1/sandboxes/${name}${query}`, { body });
const stored = (name: string) =>
  harness.api.get<Sandbox & KubeObject>(SANDBOXES, { namespace: 'default', name });

it('says what takes effect when', async () => {
  await harness.add({ name: 'up' });
  const body = { timeout: '2h', idleTimeout: '30m', autoResume: true, labels: { team: 'a' }, env: [] };
  const answer = await patch('up', body);
  expect(answer).toMatchObject({
    status: 200,
    body: {
      sandboxId: 'up',
      applied: {
        timeout: 'immediately',
        idleTimeout: 'immediately',
        autoResume: 'immediately',
        labels: 'immediately',
        env: 'on-restart',
      },
      restartRequired: true,
      message: 'env take effect when the sandbox is stopped and resumed',
    },
  });
  expect(await stored('up')).toMatchObject({
    metadata: { labels: { team: 'a' } },
    spec: { timeout: '2h', idleTimeout: '30m', autoResume: true },
  });
});

it('asks for no restart of what does not run', async () => {
  await harness.add({ name: 'down', phase: 'Stopped' });
  const answer = await patch('down', { env: [] });
  expect(answer.body).toEqual({ sandboxId: 'down', applied: { env: 'on-restart' }, restartRequired: false });
});

it('replaces resources as a whole and merges maps', async () => {
  const resources = { limits: { cpu: '2', memory: '2Gi' }, requests: { cpu: '1' } };
  const spec = { templateRef: { name: 'shell' }, createdBy: { sub: 'ann' }, resources };
  await harness.add({ name: 'sized', spec });
  await patch('sized', { labels: { a: '1', b: '2' }, resources: { limits: { memory: '4Gi' } } });
  await patch('sized', { labels: { a: null, c: '3' } });
  const { metadata, spec: now } = await stored('sized');
  expect(now?.resources).toEqual({ limits: { memory: '4Gi' } });
  expect(metadata.labels).toEqual({ b: '2', c: '3' });
});

it('names the sandbox that it means, and stores nothing in a dry run', async () => {
  const sandbox = await harness.add({ name: 'meant' });
  await patch('meant', { idleTimeout: '1h' }, '?dryRun=true');
  const [, , given, options] = harness.calls.findLast(({ method }) => method === 'patch')?.given ?? [];
  expect(given).toMatchObject({ body: { metadata: { uid: sandbox.metadata.uid } } });
  expect(options).toMatchObject({ dryRun: true, impersonate: { user: 'agenttier:ann' } });
  expect((await stored('meant')).spec?.idleTimeout).toBeUndefined();
});

it.each([
  [{}, ''],
  [{ unknown: 1 }, ''],
  [{ timeout: 'soon' }, 'timeout'],
  [{ labels: { 'agenttier.io/managed': 'false' } }, 'labels.agenttier.io/managed'],
  [{ annotations: { 'x.agenttier.io/retry': null } }, 'annotations.x.agenttier.io/retry'],
  [{ env: 'A=b' }, 'env'],
])('refuses %j', async (body, field) => {
  if (!harness.router.stores.sandboxes.get('default', 'wrong')) await harness.add({ name: 'wrong' });
  expect(await patch('wrong', body)).toMatchObject({ status: 400, body: { violations: [{ field }] } });
});

it('is for owners', async () => {
  const sharing = { users: [{ identity: 'bob', level: 'collaborator' as const }] };
  const spec = { templateRef: { name: 'shell' }, createdBy: { sub: 'ann' }, sharing };
  await harness.add({ name: 'hers', spec });
  const body = { idleTimeout: '1h' };
  const answer = await harness.call('PATCH', '/api/v1/sandboxes/hers', { key: BOB_KEY, body });
  expect(answer).toMatchObject({ status: 403, body: { error: 'access_denied' } });
});

it('learns from the cluster whether pods can be resized, and asks again later', async () => {
  let names: string[] = ['pods', 'pods/resize'];
  let now = 0;
  const body = () => ({ resources: names.map((name) => ({ name })) });
  const raw = async () => ({ status: 200, headers: {}, body: body() });
  const resize = new PodResize({ raw }, () => now);
  expect(await resize.available()).toBe(true);
  names = ['pods'];
  expect(await resize.available()).toBe(true);
  now = 700_000;
  expect(await resize.available()).toBe(false);
});

it('takes a duration away with null, and leaves the others', async () => {
  await harness.add({ name: 'timed', spec: { timeout: '2h', idleTimeout: '30m', gracePeriod: '10s' } });
  expect(await patch('timed', { timeout: null, gracePeriod: null })).toMatchObject({
    status: 200,
    body: { applied: { timeout: 'immediately', gracePeriod: 'immediately' } },
  });
  const { spec } = await stored('timed');
  expect([spec?.timeout, spec?.idleTimeout, spec?.gracePeriod]).toEqual([undefined, '30m', undefined]);
  expect((await patch('timed', { timeout: null, idleTimeout: 'soon' })).body.violations).toMatchObject([
    { field: 'idleTimeout' },
  ]);
});
