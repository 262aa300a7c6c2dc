// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BOB_KEY, Harness, keySecret } from '../../testing/harness.ts';
import { RealRuntime, REAL_UID } from '../../testing/realRuntime.ts';

const SCOPED_KEY = 'atk_scoped-0123456789abcdefghijklm';
let harness: Harness;
let runtime: RealRuntime;
beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
}, 120_000);
afterAll(() => runtime.stop());
beforeEach(async () => {
  const preview = { domain: 'preview.example.com', scheme: 'https' } as const;
  harness = await Harness.start({ runtimePort: runtime.port, preview });
});
afterEach(() => harness.stop());

const ports = (method: string, rest = '', body?: unknown, name = 'box') =>
  harness.call(method, `/api/v1/sandboxes/${name}/ports${rest}`, body === undefined ? {} : { body });

const stored = async (name = 'box') =>
  (await harness.api.get<Sandbox & KubeObject>(SANDBOXES, { namespace: 'default', name })).spec?.ports;

describe('forwarded ports', () => {
  it('are kept on the sandbox, each once, also while it is stopped', async () => {
    await harness.add({ name: 'box', phase: 'Stopped' });
    const url = 'https://3000--box--default.preview.example.com/';
    const forwarded = { port: 3000, protocol: 'http', previewUrl: url };
    for (let turn = 0; turn < 2; turn++) {
      expect(await ports('POST', '', { port: 3000 })).toMatchObject({ status: 201, body: forwarded });
    }
    expect(await ports('POST', '', { port: 22, protocol: 'tcp' })).toMatchObject({
      status: 201,
      body: { port: 22, protocol: 'tcp' },
    });
    expect(await stored()).toEqual([
      { port: 22, protocol: 'tcp' },
      { port: 3000, protocol: 'http' },
    ]);
    expect((await ports('GET')).body).toEqual({ ports: [{ port: 22, protocol: 'tcp' }, forwarded] });
    for (let turn = 0; turn < 2; turn++) expect((await ports('DELETE', '/22')).status).toBe(204);
    expect(await stored()).toEqual([{ port: 3000, protocol: 'http' }]);
  });

  it('of many at once are all kept', async () => {
    await harness.add({ name: 'box' });
    const wanted = Array.from({ length: 12 }, (_, i) => 4000 + i);
    const answers = await Promise.all(wanted.map((port) => ports('POST', '', { port })));
    expect(answers.map(({ status }) => status)).toEqual(wanted.map(() => 201));
    expect((await stored())?.map(({ port }) => port)).toEqual(wanted);
  });

  it.each([0, -1, 65_536, 1.5, '3000', null, 9000])('refuse %s', async (port) => {
    await harness.add({ name: 'box' });
    expect(await ports('POST', '', { port })).toMatchObject({
      status: 400,
      body: { violations: [{ field: 'port' }] },
    });
    expect(await stored()).toBeUndefined();
  });

  it.each(['x', '0', '70000', '1e3'])('refuse to take away %s', async (port) => {
    await harness.add({ name: 'box' });
    expect((await ports('DELETE', `/${port}`)).status).toBe(400);
  });

  it('are for whoever may enter, and for keys of the group', async () => {
    const box = await harness.add({ name: 'box' });
    const post = (key: string) =>
      harness.call('POST', '/api/v1/sandboxes/box/ports', { key, body: { port: 3000 } });
    expect((await post(BOB_KEY)).status).toBe(404);
    const share = (level: 'viewer' | 'collaborator') => ({ users: [{ identity: 'bob', level }] });
    harness.change(box, { spec: { ...box.spec, sharing: share('viewer') } });
    expect((await post(BOB_KEY)).status).toBe(403);
    const { apiKeys } = harness.router.stores;
    const scope = { userId: 'ann', sandboxId: 'box' };
    apiKeys.applyWatch(keySecret(SCOPED_KEY, { ...scope, actionGroups: ['files:read'] }));
    expect((await post(SCOPED_KEY)).status).toBe(403);
  });

  it('have tickets only where there is a preview', async () => {
    await harness.add({ name: 'box', spec: { ports: [{ port: 22, protocol: 'tcp' }, { port: 80 }] } });
    const ticket = (port: number, body?: unknown) => ports('POST', `/${port}/preview-tickets`, body);
    expect(await ticket(80)).toMatchObject({ status: 201, body: { expiresAt: expect.any(String) } });
    expect((await ticket(22)).status).toBe(404);
    expect((await ticket(81)).status).toBe(404);
    expect((await ticket(80, { path: 'https://evil.example' })).status).toBe(400);
  });
});

describe('a running sandbox', () => {
  it('tells what listens in it, and what it uses', async () => {
    await harness.add({ name: 'box', uid: REAL_UID });
    const listening = await ports('GET', '/listening');
    expect(listening.status).toBe(200);
    const found = (listening.body.ports as { port: number }[]).map(({ port }) => port);
    expect(found).toContain(Number(new URL(harness.url).port));
    expect(found).not.toContain(runtime.port);
    expect(await harness.call('GET', '/api/v1/sandboxes/box/stats')).toMatchObject({
      status: 200,
      body: { workspace: { total: expect.any(Number) } },
    });
    await harness.add({ name: 'asleep', phase: 'Stopped' });
    expect((await harness.call('GET', '/api/v1/sandboxes/asleep/stats')).status).toBe(409);
  });
});
