// SPDX-License-Identifier: Apache-2.0
import { GOVERNANCE_POLICIES } from '@agenttier/crds/meta/resources';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { errorFromResponse } from '@agenttier/machinery/kube/errors';
import { statusBody } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, Harness } from '../testing/harness.ts';
import type { Json } from '../testing/harness.ts';

/** Programs that were written against an earlier router and are not changed: what they send, and what they rely on. */

let harness: Harness;
let uid: string;
beforeEach(async () => {
  harness = await Harness.start();
  uid = (await harness.add({ name: 'box', phase: 'Stopped' })).metadata.uid ?? '';
});
afterEach(() => harness.stop());

interface Answer {
  readonly status: number;
  readonly body: Json;
}

/** As those programs ask: no redirect is followed, a body has a content type, and nothing else is sent. */
async function ask(method: string, path: string, body?: unknown, key = ANN_KEY): Promise<Answer> {
  const answer = await fetch(`${harness.url}${path}`, {
    method,
    redirect: 'manual',
    headers: { 'X-API-Key': key, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? '' : JSON.parse(text) };
}

const on = (method: string, path: string, body?: unknown, key?: string): Promise<Answer> =>
  ask(method, `/api/v1/sandboxes/box${path}`, body, key);
const api = (method: string, path: string, body?: unknown, key?: string): Promise<Answer> =>
  ask(method, `/api/v1${path}`, body, key);

async function snapshot(name: string): Promise<void> {
  const labels = { 'agenttier.io/sandbox-uid': uid, 'agenttier.io/snapshot-kind': 'backup' };
  await harness.api.create(VOLUME_SNAPSHOTS, 'default', {
    metadata: { name, namespace: 'default', labels },
    status: { readyToUse: true, restoreSize: '1Gi', creationTime: '2026-06-01T12:00:00Z' },
  } as KubeObject);
}

describe('keys', () => {
  it.each(['scopes', 'actionGroups'])('are limited by %s, and by no word that nobody knows', async (word) => {
    const made = await api('POST', '/user/api-keys', { sandboxId: 'box', [word]: ['files:read'] });
    expect(made).toMatchObject({ status: 201, body: { sandboxId: 'box', actionGroups: ['files:read'] } });
    expect(made.body.key).toMatch(/^atk_[\w-]{43}$/);
    const odd = await api('POST', '/user/api-keys', { sandboxId: 'box', [word]: ['files:read'], scope: 'x' });
    expect(odd).toMatchObject({ status: 400, body: { error: expect.stringContaining('scope') } });
    expect(await api('DELETE', `/user/api-keys/${made.body.id}`)).toEqual({
      status: 200,
      body: { status: 'revoked', id: made.body.id },
    });
  });
});

describe('answers', () => {
  it('have lists where there is nothing, and figures by all their names', async () => {
    expect((await api('GET', '/user/me')).body).toMatchObject({ sub: 'ann', groups: [], isAdmin: false });
    expect(
      (await api('GET', '/analytics/costs?namespace=none', undefined, ADMIN_KEY)).body.per_template,
    ).toEqual([]);
    const usage = (await api('GET', '/analytics/usage', undefined, ADMIN_KEY)).body;
    expect(Object.keys(usage)).toEqual(
      expect.arrayContaining([
        'total_sandboxes',
        'status_breakdown',
        'template_breakdown',
        'avg_startup_ms',
        'startup_sample_count',
      ]),
    );
    expect(await api('GET', '/audit/events', undefined, ADMIN_KEY)).toMatchObject({ body: { events: [] } });
    expect((await api('GET', '/user/api-keys')).body.keys).toHaveLength(1);
  });

  it('name a sandbox by its object, with one of five words for how it is', async () => {
    const phases = ['Creating', 'Running', 'Stopped', 'Error'] as const;
    for (const phase of phases) await harness.add({ name: `one-${phase.toLowerCase()}`, phase });
    await on('DELETE', '');
    const { sandboxes } = (await api('GET', '/sandboxes')).body;
    for (const { sandboxId, name, namespace, createdAt } of sandboxes) {
      expect([sandboxId, namespace]).toEqual([name, 'default']);
      expect(new Date(createdAt).toISOString().slice(0, 19)).toBe(String(createdAt).slice(0, 19));
    }
    expect(new Set(sandboxes.map(({ status }: Json) => status))).toEqual(new Set([...phases, 'Deleting']));
  });

  it('have the status that was always theirs', async () => {
    const made = { name: 'new', templateRef: { name: 'shell' }, later: 'ignored' };
    expect((await api('POST', '/sandboxes', made)).status).toBe(201);
    expect((await on('POST', '/ports', { port: 3000, protocol: 'http' })).status).toBe(201);
    expect(await on('DELETE', '/ports/3000')).toEqual({ status: 204, body: '' });
    expect(await on('DELETE', '/ports/3000')).toEqual({ status: 204, body: '' });
    const link = await on('POST', '/share-links', { level: 'viewer', maxUses: 0 });
    expect(link).toMatchObject({ status: 201, body: { token: expect.any(String), expiresAt: null } });
    const shared = await on('POST', '/share', { identity: 'bob', level: 'viewer' });
    expect(shared).toMatchObject({ status: 200, body: { users: [{ identity: 'bob', level: 'viewer' }] } });
    expect(await on('DELETE', '/share/bob')).toEqual({
      status: 200,
      body: { status: 'revoked', identity: 'bob' },
    });
    const hook = { url: 'https://hooks.example.com/in', eventTypes: ['sandbox.running'], sandboxId: 'box' };
    expect((await api('POST', '/webhooks', hook)).status).toBe(201);
    expect(await on('DELETE', '')).toEqual({ status: 204, body: '' });
  });

  it('of administrators, too', async () => {
    const spec = { image: { repository: 'debian', tag: '12' } };
    const made = await api('POST', '/templates', { name: 'deb', spec }, ADMIN_KEY);
    expect(made).toMatchObject({ status: 201, body: { name: 'deb', image: 'debian:12' } });
    expect(await api('DELETE', '/templates/deb', undefined, ADMIN_KEY)).toEqual({ status: 204, body: '' });
    const policy = await api('PUT', '/governance/policies/team', { maxSandboxesTotal: 3 }, ADMIN_KEY);
    expect(policy).toMatchObject({
      status: 200,
      body: { namespace: 'team', policy: { maxSandboxesTotal: 3 } },
    });
    expect(await api('DELETE', '/governance/policies/team', undefined, ADMIN_KEY)).toEqual({
      status: 204,
      body: '',
    });
    expect(await api('GET', '/user/preferences')).toEqual({ status: 200, body: {} });
  });
});

describe('requests with nothing in them', () => {
  it('are an empty object for copies, and no body at all for what stops and goes on', async () => {
    await snapshot('kept');
    expect(await on('POST', '/clone', {})).toMatchObject({ status: 202, body: { clonedFrom: 'box' } });
    expect((await on('POST', '/backups', {})).status).toBe(201);
    expect(await on('POST', '/backups/kept/restore', {})).toMatchObject({
      status: 202,
      body: { restoredFrom: 'box', snapshot: 'kept' },
    });
    expect(await on('DELETE', '/backups/kept')).toEqual({
      status: 200,
      body: { status: 'deleted', name: 'kept' },
    });
    expect(await on('POST', '/resume')).toEqual({ status: 200, body: { status: 'resuming' } });
    await harness.add({ name: 'up' });
    expect(await api('POST', '/sandboxes/up/stop')).toEqual({ status: 200, body: { status: 'stopping' } });
  });
});

describe('refusals', () => {
  it('by policy are 403 with a list, of a batch that the quota has no room for 409', async () => {
    const made = { name: 'new', templateRef: { name: 'shell' } };
    const violations = [{ code: 'namespace_quota_exceeded', message: expect.any(String) }];
    const policy = {
      metadata: { name: 'default', namespace: 'default' },
      spec: { maxSandboxesTotal: 1 },
      status: { used: { sandboxes: 1 } },
    };
    await harness.api.create(GOVERNANCE_POLICIES, 'default', policy);
    expect(await api('POST', '/sandboxes/bulk', { items: [made] })).toMatchObject({
      status: 409,
      body: { error: 'quota_would_exceed', violations },
    });
    const message = JSON.stringify({ message: 'too many', limit: '1', actual: '2', scope: 'namespace' });
    harness.api.before = () => {
      const causes = [{ reason: 'namespace_quota_exceeded', field: 'metadata.namespace', message }];
      throw errorFromResponse(403, statusBody(403, { reason: 'Forbidden', message: 'denied', causes }));
    };
    expect(await api('POST', '/sandboxes', made)).toMatchObject({
      status: 403,
      body: { error: 'policy_violation', violations },
    });
  });

  it('are JSON with a text, and no answer leads elsewhere', async () => {
    const rows: [method: string, path: string, body?: unknown][] = [
      ['GET', '/api/v1//sandboxes/../nothing'],
      ['GET', '/api/v1/sandboxes/none'],
      ['PATCH', '/api/v1/sandboxes/box', {}],
      ['POST', '/api/v1/sandboxes', {}],
      ['POST', '/api/v1/sandboxes/box/exec', { command: 'true' }],
      ['GET', '/api/v1/sandboxes/box/files/'],
      ['GET', '/api/v1/sandboxes/box/preview/3000/'],
      ['GET', '/api/v1/admin/sandboxes'],
      ['PUT', '/api/v1/warmpool/config', { pools: [] }],
      ['GET', '/ws/terminal/box'],
      ['GET', '/no/page'],
    ];
    for (const [method, path, body] of rows) {
      const { status, body: answer } = await ask(method, path, body);
      expect(status, path).toBeGreaterThanOrEqual(400);
      expect(status, path).toBeLessThan(500);
      expect(answer.error, path).toEqual(expect.any(String));
    }
  });

  it('for a while say it in whole seconds', async () => {
    const off = { perSecond: 0, burst: 0 };
    const perUser = { perSecond: 0.4, burst: 1 };
    const rateLimits = { perAddress: off, perUser, failures: off, trustedProxies: [] };
    const strict = await Harness.start({ rateLimits });
    try {
      await strict.call('GET', '/api/v1/user/me');
      const { status, headers, body } = await strict.call('GET', '/api/v1/user/me');
      expect(status).toBe(429);
      expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(body).toMatchObject({ error: 'rate_limited', retryAfter: Number(headers.get('retry-after')) });
    } finally {
      await strict.stop();
    }
  });
});
