// SPDX-License-Identifier: Apache-2.0
import { get } from 'node:http';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { errorFromResponse } from '@agenttier/machinery/kube/errors';
import { statusBody } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_KEY, BOB_KEY, Harness, keySecret } from './testing/harness.ts';

let harness: Harness;

const id = async (value: string) =>
  (await harness.call('GET', '/healthz', { headers: { 'X-Request-ID': value } })).headers.get('x-request-id');

beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const template = { name: 'shell', kind: 'ClusterSandboxTemplate' };

describe('what is on every answer', () => {
  it('refuses in JSON whoever brings no good credentials', async () => {
    const rows: [headers: Record<string, string>, code: string][] = [
      [{}, 'missing_authorization'],
      [{ 'X-API-Key': 'atk_unknown-0123456789abcdefgh' }, 'invalid_api_key'],
      [{ Authorization: 'Basic eDp5' }, 'invalid_authorization_format'],
      [{ Authorization: 'Bearer abc' }, 'invalid_token'],
    ];
    for (const [headers, code] of rows) {
      const answer = await harness.call('GET', '/api/v1/sandboxes', { key: '', headers });
      expect(answer).toMatchObject({ status: 401, body: { error: code } });
    }
  });

  it('answers unknown paths with 404 in JSON, credentials or not', async () => {
    for (const [method, path] of [
      ['GET', '/api/v1/nothing'],
      ['PATCH', '/api/v1/nothing/a'],
      ['GET', '/'],
    ] as const) {
      const answer = await harness.call(method, path, { key: '' });
      expect(answer).toMatchObject({ status: 404, body: { error: 'no such route' } });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  it('repeats a fit request id and replaces any other', async () => {
    expect(await id('trace-1')).toBe('trace-1');
    expect(await id('a b')).toMatch(/^[0-9a-f]{16}$/);
    expect(await id('x'.repeat(129))).toMatch(/^[0-9a-f]{16}$/);
  });

  it('cleans a path silently and never shows who runs it', async () => {
    const answer = await harness.call('GET', '//api/v1/./sandboxes');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-powered-by')).toBeNull();
  });

  it('bounds and checks bodies', async () => {
    const big = await harness.call('POST', '/api/v1/sandboxes', {
      body: { name: 'x'.repeat(2 * 1024 * 1024) },
    });
    expect(big).toMatchObject({ status: 413, body: { error: expect.stringMatching(/larger than 1048576/) } });
    const broken = await harness.call('POST', '/api/v1/sandboxes', { body: '{"name":' });
    expect(broken).toMatchObject({ status: 400, body: { error: 'the request body is not valid JSON' } });
    const path = await harness.call('GET', '/api/v1/sandboxes/%ff');
    expect(path.status).toBe(400);
  });

  it('is alive, ready and measured, by routes and not by names', async () => {
    expect(await harness.call('GET', '/healthz', { key: '' })).toMatchObject({ status: 200, body: 'ok' });
    expect(await harness.call('GET', '/readyz', { key: '' })).toMatchObject({ status: 200, body: 'ok' });
    await harness.call('GET', '/api/v1/sandboxes/some-name');
    const page = (await harness.call('GET', '/metrics', { key: '' })).body as string;
    expect(page).toContain('route="/sandboxes/:id",code="404"');
    expect(page).not.toContain('some-name');
  });

  it('serves clients that ask for HTTP/2 in passing', async () => {
    const headers = {
      Upgrade: 'h2c',
      Connection: 'Upgrade, HTTP2-Settings',
      'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
    };
    const status = await new Promise((resolve, reject) => {
      get(`${harness.url}/healthz`, { headers }, (response) => resolve(response.resume().statusCode)).on(
        'error',
        reject,
      );
    });
    expect(status).toBe(200);
  });
});

describe('before the cluster was read', () => {
  it('nothing is answered that would be wrong, and readiness says what is missing', async () => {
    const starting = await Harness.start({}, { watching: false });
    try {
      expect(await starting.call('GET', '/healthz')).toMatchObject({ status: 200 });
      const ready = await starting.call('GET', '/readyz');
      const reason = expect.stringMatching(/^not ready: cluster: not read yet: sandboxes, /);
      expect(ready).toMatchObject({ status: 503, body: reason });
      const list = await starting.call('GET', '/api/v1/sandboxes');
      expect(list).toMatchObject({ status: 503, body: { error: expect.stringContaining('starting') } });
      expect(list.headers.get('retry-after')).toBe('1');
    } finally {
      await starting.stop();
    }
  });
});

describe('CORS', () => {
  it('is for listed origins only, and says nothing about others', async () => {
    const other = await Harness.start({ corsOrigins: ['https://ui.example'] });
    try {
      const call = (method: string, origin: string) =>
        other.call(method, '/api/v1/user/me', { headers: { Origin: origin } });
      const good = await call('OPTIONS', 'https://ui.example');
      expect(good.status).toBe(204);
      expect(good.headers.get('access-control-allow-methods')).toContain('PATCH');
      expect((await call('GET', 'https://ui.example')).headers.get('access-control-allow-origin')).toBe(
        'https://ui.example',
      );
      expect((await call('OPTIONS', 'https://evil.example')).status).toBe(403);
      expect(
        (await call('GET', 'https://evil.example')).headers.get('access-control-allow-origin'),
      ).toBeNull();
    } finally {
      await other.stop();
    }
  });
});

describe('development mode', () => {
  it('takes everybody for an administrator, but not a foreign page in the browser', async () => {
    const dev = await Harness.start({ devAuth: true });
    try {
      const me = await dev.call('GET', '/api/v1/user/me', { key: '', headers: { 'X-API-Key': 'bad' } });
      expect(me.body).toEqual({
        sub: 'dev-user',
        email: 'dev@agenttier.local',
        name: 'Dev User',
        groups: ['agenttier-admins'],
        isAdmin: true,
      });
      const foreign = await dev.call('POST', '/api/v1/sandboxes', {
        headers: { Origin: 'https://evil.example' },
      });
      expect(foreign).toMatchObject({ status: 403, body: { error: 'origin_not_allowed' } });
    } finally {
      await dev.stop();
    }
  });
});

describe('sandboxes', () => {
  it('creates one and shows it in the very next answer', async () => {
    const created = await harness.call('POST', '/api/v1/sandboxes', {
      body: {
        name: 'box',
        templateRef: template,
        timeout: '1h',
        env: [{ name: 'A', value: 'b' }],
        extra: 'ignored',
      },
    });
    expect(created).toMatchObject({
      status: 201,
      body: { sandboxId: 'box', name: 'box', namespace: 'default', status: 'Creating', templateRef: 'shell' },
    });
    expect(harness.api.calls.at(-1)?.body).toMatchObject({
      metadata: { name: 'box', namespace: 'default' },
      spec: { templateRef: template, timeout: '1h', env: [{ name: 'A', value: 'b' }] },
    });
    expect((await harness.call('GET', '/api/v1/sandboxes/box', { key: ADMIN_KEY })).body.status).toBe(
      'Creating',
    );
  });

  it('reports every bad field of a create at once', async () => {
    const answer = await harness.call('POST', '/api/v1/sandboxes', {
      body: { name: 'Not A Name', templateRef: {}, timeout: '1d', idleTimeout: 5, storage: 'big', env: {} },
    });
    expect(answer.status).toBe(400);
    expect(answer.body.violations.map((v: { field: string }) => v.field)).toEqual([
      'name',
      'templateRef.name',
      'timeout',
      'idleTimeout',
      'storage',
      'env',
    ]);
  });

  it('says 409 for a name that is taken', async () => {
    await harness.add({ name: 'box' });
    const answer = await harness.call('POST', '/api/v1/sandboxes', {
      body: { name: 'box', templateRef: template },
    });
    expect(answer).toMatchObject({ status: 409, body: { error: expect.stringMatching(/already exists/) } });
  });

  it('hands a policy refusal on with its violations', async () => {
    const message = JSON.stringify({ message: 'too much', limit: '2', actual: '8', scope: 'namespace' });
    harness.api.before = () => {
      const causes = [{ reason: 'cpu_limit_exceeded', field: 'spec.resources.limits.cpu', message }];
      throw errorFromResponse(403, statusBody(403, { reason: 'Forbidden', message: 'denied', causes }));
    };
    const answer = await harness.call('POST', '/api/v1/sandboxes', {
      body: { name: 'box', templateRef: template },
    });
    expect(answer).toMatchObject({
      status: 403,
      body: {
        error: 'policy_violation',
        violations: [
          { code: 'cpu_limit_exceeded', field: 'spec.resources.limits.cpu', limit: '2', actual: '8' },
        ],
      },
    });
  });

  it('shows each person what is theirs or shared with them, administrators all', async () => {
    await harness.add({ name: 'mine' });
    await harness.add({ name: 'foreign', owner: 'bob' });
    const sharing = { users: [{ identity: 'ann@example.com', level: 'viewer' as const }] };
    await harness.add({ name: 'shared', owner: 'bob', spec: { createdBy: { sub: 'bob' }, sharing } });
    const names = async (key?: string, query = '') => {
      const { body } = await harness.call('GET', `/api/v1/sandboxes${query}`, key ? { key } : {});
      return body.sandboxes.map((sandbox: { name: string }) => sandbox.name).sort();
    };
    expect(await names()).toEqual(['mine', 'shared']);
    expect(await names(BOB_KEY)).toEqual(['foreign', 'shared']);
    expect(await names(ADMIN_KEY)).toEqual(['foreign', 'mine', 'shared']);
    expect(await names(ADMIN_KEY, '?status=Stopped')).toEqual([]);
    expect(await names(ADMIN_KEY, '?namespace=other')).toEqual([]);
  });

  it('does not tell a foreign sandbox from a missing one', async () => {
    await harness.add({ name: 'foreign', owner: 'bob' });
    for (const [method, suffix] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/stop'],
      ['POST', '/exec'],
    ] as const) {
      const body = method === 'POST' ? { command: 'true' } : undefined;
      const foreign = await harness.call(method, `/api/v1/sandboxes/foreign${suffix}`, { body });
      const missing = await harness.call(method, `/api/v1/sandboxes/missing${suffix}`, { body });
      expect([foreign.status, missing.status]).toEqual([404, 404]);
      expect(foreign.body.error.replace('foreign', 'missing')).toBe(missing.body.error);
    }
  });

  it('lets a viewer look but not act', async () => {
    const sharing = { users: [{ identity: 'ann', level: 'viewer' as const }] };
    await harness.add({ name: 'shared', owner: 'bob', spec: { createdBy: { sub: 'bob' }, sharing } });
    expect((await harness.call('GET', '/api/v1/sandboxes/shared')).status).toBe(200);
    expect((await harness.call('POST', '/api/v1/sandboxes/shared/stop')).status).toBe(403);
    expect(
      (await harness.call('POST', '/api/v1/sandboxes/shared/exec', { body: { command: 'id' } })).status,
    ).toBe(403);
  });

  it('finds a name over namespaces, and asks which one when it cannot tell', async () => {
    await harness.add({ name: 'box', namespace: 'team-a' });
    expect((await harness.call('GET', '/api/v1/sandboxes/box')).body.namespace).toBe('team-a');
    await harness.add({ name: 'box', namespace: 'team-b' });
    const which = await harness.call('GET', '/api/v1/sandboxes/box');
    expect(which).toMatchObject({
      status: 409,
      body: { error: expect.stringMatching(/team-a, team-b.*\?namespace=/) },
    });
    expect((await harness.call('GET', '/api/v1/sandboxes/box?namespace=team-b')).body.namespace).toBe(
      'team-b',
    );
    await harness.add({ name: 'box', namespace: 'default' });
    expect((await harness.call('GET', '/api/v1/sandboxes/box')).body.namespace).toBe('default');
  });

  it('stops, resumes and deletes with what comes next visible at once', async () => {
    const box = await harness.add({ name: 'box' });
    expect(await harness.call('POST', '/api/v1/sandboxes/box/stop')).toMatchObject({
      status: 200,
      body: { status: 'stopping' },
    });
    expect(harness.api.calls.at(-1)?.body).toEqual({
      spec: { desiredState: 'Stopped' },
      metadata: { uid: box.metadata.uid },
    });
    expect(
      (await harness.call('POST', '/api/v1/sandboxes/box/exec', { body: { command: 'id' } })).status,
    ).toBe(409);
    expect((await harness.call('POST', '/api/v1/sandboxes/box/resume')).body).toEqual({ status: 'resuming' });
    expect(harness.api.calls.at(-1)?.body).toMatchObject({
      spec: { desiredState: 'Running' },
      metadata: { annotations: { 'agenttier.io/retry': expect.stringMatching(/^\d{4}-/) } },
    });
    const deleted = await harness.call('DELETE', '/api/v1/sandboxes/box');
    expect([deleted.status, deleted.body]).toEqual([204, '']);
    expect((await harness.call('GET', '/api/v1/sandboxes/box')).body.status).toBe('Deleting');
  });

  it('takes a resume right after a stop that another replica has taken', async () => {
    const { metadata } = await harness.add({ name: 'box' });
    // Its own watch lags: put back what it knew before the write.
    const stale = harness.router.stores.sandboxes.get('default', 'box');
    const body = { spec: { desiredState: 'Stopped' } };
    await harness.api.patch(SANDBOXES, { namespace: 'default', name: 'box' }, { type: 'merge', body });
    if (stale) {
      const lagging = { ...stale, metadata: { ...metadata, resourceVersion: 'lagging' } };
      harness.router.stores.sandboxes.applyWatch(lagging);
    }
    expect(await harness.call('POST', '/api/v1/sandboxes/box/resume')).toMatchObject({
      status: 200,
      body: { status: 'resuming' },
    });
  });

  it('refuses what the phase does not allow', async () => {
    const rows: [phase: 'Creating' | 'Running' | 'Stopped' | 'Error', verb: string, status: number][] = [
      ['Running', 'resume', 409],
      ['Creating', 'resume', 409],
      ['Stopped', 'stop', 409],
      ['Error', 'stop', 409],
      ['Error', 'resume', 200],
      ['Creating', 'stop', 200],
    ];
    for (const [index, [phase, verb, status]] of rows.entries()) {
      await harness.add({ name: `box-${index}`, phase });
      expect((await harness.call('POST', `/api/v1/sandboxes/box-${index}/${verb}`)).status).toBe(status);
    }
  });
});

describe('keys of one sandbox', () => {
  const SCOPED = 'atk_scoped-0123456789abcdefghijkl';

  it('reach only their sandbox and their actions', async () => {
    await harness.add({ name: 'box' });
    await harness.add({ name: 'other' });
    const record = { userId: 'ann', sandboxId: 'box', actionGroups: ['stop'] };
    harness.router.stores.apiKeys.applyWatch(keySecret(SCOPED, record));
    const rows: [method: string, path: string, status: number][] = [
      ['GET', '/sandboxes', 403],
      ['GET', '/sandboxes/box', 200],
      ['POST', '/sandboxes', 403],
      ['GET', '/user/me', 200],
      ['DELETE', '/sandboxes/box', 403],
      ['POST', '/sandboxes/box/exec', 403],
      ['POST', '/sandboxes/other/stop', 403],
      ['POST', '/sandboxes/box/stop', 200],
    ];
    for (const [method, path, status] of rows) {
      expect((await harness.call(method, `/api/v1${path}`, { key: SCOPED })).status).toBe(status);
    }
  });
});

describe('templates', () => {
  it('lists and gives them, those of a namespace only on request', async () => {
    const { clusterTemplates, templates } = harness.router.stores;
    const spec = { description: 'A shell', image: { repository: 'debian', tag: '12' } };
    const stored = await harness.api.create(CLUSTER_SANDBOX_TEMPLATES, undefined, {
      metadata: { name: 'shell' },
      spec,
    });
    clusterTemplates.applyWatch(stored);
    templates.applyWatch({ metadata: { name: 'local', namespace: 'team', resourceVersion: '9' }, spec: {} });
    const list = async (query: string) =>
      (await harness.call('GET', `/api/v1/templates${query}`)).body.templates;
    expect(await list('')).toEqual([
      { name: 'shell', description: 'A shell', image: 'debian:12', resourceVersion: '1', spec },
    ]);
    expect((await list('?namespace=team')).map((t: { name: string }) => t.name)).toEqual(['local', 'shell']);
    expect((await harness.call('GET', '/api/v1/templates/shell')).body.spec).toEqual(spec);
    expect((await harness.call('GET', '/api/v1/templates/local')).status).toBe(404);
    expect((await harness.call('GET', '/api/v1/templates/local?namespace=team')).body.namespace).toBe('team');
  });
});

describe('empty lists', () => {
  it('are lists', async () => {
    expect((await harness.call('GET', '/api/v1/sandboxes')).body).toEqual({ sandboxes: [] });
    expect((await harness.call('GET', '/api/v1/templates')).body).toEqual({ templates: [] });
    expect((await harness.call('GET', '/api/v1/user/me')).body.groups).toEqual([]);
  });
});
