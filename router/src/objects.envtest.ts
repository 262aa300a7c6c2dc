// SPDX-License-Identifier: Apache-2.0
import { adminAccess } from '@agenttier/e2e/envtest/server';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { CLUSTER_GOVERNANCE_POLICIES, SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useScene } from '../../webhook/src/envtest/scene.ts';
import { ADMIN_KEY } from './testing/harness.ts';
import { LiveRouter } from './testing/liveRouter.ts';

// Templates and policies over REST, with the API server and our webhooks as the judges.
const scene = useScene();
let live: LiveRouter;

beforeAll(async () => {
  live = await LiveRouter.start({
    admin: scene.client,
    adminAccess: await adminAccess(),
    installNamespace: scene.install,
    sandboxNamespace: scene.team,
  });
});
afterAll(() => live.stop());

const put = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  live.fetch(path, { method: 'PUT', body: JSON.stringify(body), headers }, ADMIN_KEY);

describe('templates', () => {
  const spec = { description: 'over REST', image: { repository: 'registry.example/shell', tag: '1' } };

  it('are created as the administrator, replaced from a known state, and kept while in use', async () => {
    const name = `rest-${scene.team}`;
    const body = { name, spec };
    const dry = await live.call('POST', '/templates?dryRun=true', body, ADMIN_KEY);
    expect(dry).toMatchObject({ status: 201, body: { name } });
    const created = await live.call('POST', '/templates', body, ADMIN_KEY);
    expect(created).toMatchObject({ status: 201, body: { name, image: 'registry.example/shell:1' } });
    expect(await live.call('POST', '/templates', body, ADMIN_KEY)).toMatchObject({ status: 409 });

    const shown = await live.fetch(`/templates/${name}`);
    const etag = shown.headers.get('etag') ?? '';
    const changed = { spec: { ...spec, description: 'changed' } };
    expect((await put(`/templates/${name}`, changed, { 'If-Match': etag })).status).toBe(200);
    const late = await put(`/templates/${name}`, changed, { 'If-Match': etag });
    expect([late.status, await late.json()]).toMatchObject([412, { current: { description: 'changed' } }]);

    const sandbox = { name: 'user-of-it', templateRef: { name, kind: 'ClusterSandboxTemplate' } };
    expect((await live.call('POST', '/sandboxes', sandbox)).status).toBe(201);
    const refused = await live.call('DELETE', `/templates/${name}`, undefined, ADMIN_KEY);
    expect(refused).toMatchObject({ status: 409, body: { error: 'template_in_use' } });
    expect((await live.call('DELETE', '/sandboxes/user-of-it')).status).toBe(204);
  });

  it('are refused where a field is none, and belong to the namespace that is asked for', async () => {
    const wrong = { name: 'wrong', spec: { imagge: {} } };
    const answer = await live.call('POST', '/templates', wrong, ADMIN_KEY);
    expect([answer.status, answer.body.error]).toEqual([400, expect.stringContaining('imagge')]);
    const body = { name: 'mine', spec };
    const ours = await live.call('POST', `/templates?namespace=${scene.team}`, body, ADMIN_KEY);
    expect(ours).toMatchObject({ status: 201, body: { namespace: scene.team } });
    const path = `/templates/mine?namespace=${scene.team}`;
    expect((await live.call('DELETE', path, undefined, ADMIN_KEY)).status).toBe(204);
  });
});

describe('policies', () => {
  const path = () => `/governance/policies/${scene.team}`;

  it('bound what is created from then on, and no longer once they are gone', async () => {
    expect((await put(path(), { maxTimeout: '1h' })).status).toBe(200);
    const templateRef = { name: scene.base, kind: 'ClusterSandboxTemplate' };
    const body = { name: 'bounded', templateRef, timeout: '2h' };
    const refused = await live.call('POST', '/sandboxes', body);
    expect(refused).toMatchObject({
      status: 403,
      body: { error: 'policy_violation', violations: [{ code: 'timeout_exceeded', scope: 'namespace' }] },
    });
    expect((await live.call('DELETE', path(), undefined, ADMIN_KEY)).status).toBe(204);
    expect((await live.call('POST', '/sandboxes', body)).status).toBe(201);
  });

  it('are refused where they would bound nothing', async () => {
    expect((await put(path(), { maxCpu: '1e99999' })).status).not.toBe(200);
    const unknown = await put(path(), { maxCpus: '4' });
    expect([unknown.status, JSON.stringify(await unknown.json())]).toEqual([
      400,
      expect.stringContaining('maxCpus'),
    ]);
  });

  it('of the cluster are set in a dry run without effect', async () => {
    const answer = await put('/governance/policies?dryRun=true', { maxCpu: '1' });
    expect([answer.status, await answer.json()]).toMatchObject([200, { scope: 'cluster' }]);
    const { items } = await scene.client.list(CLUSTER_GOVERNANCE_POLICIES);
    expect(items.map((item) => (item as { spec?: { maxCpu?: string } }).spec?.maxCpu)).not.toContain('1');
  });
});

describe('sandboxes', () => {
  const templateRef = () => ({ name: scene.base, kind: 'ClusterSandboxTemplate' });

  it('are changed in place, within the policy', async () => {
    const limits = { cpu: '1', memory: '1Gi', 'ephemeral-storage': '1Gi' };
    const body = {
      name: 'patched',
      templateRef: templateRef(),
      resources: { limits },
      labels: { team: 'a' },
    };
    expect((await live.call('POST', '/sandboxes', body)).status).toBe(201);
    const change = {
      idleTimeout: '20m',
      labels: { team: null },
      resources: { limits: { cpu: '2', memory: '2Gi' } },
    };
    const answer = await live.call('PATCH', '/sandboxes/patched', change);
    expect(answer).toMatchObject({
      status: 200,
      body: { sandboxId: 'patched', applied: { idleTimeout: 'immediately', labels: 'immediately' } },
    });
    const stored = await scene.client.get<Sandbox & KubeObject>(SANDBOXES, {
      namespace: scene.team,
      name: 'patched',
    });
    expect(stored.spec).toMatchObject({
      idleTimeout: '20m',
      resources: { limits: { cpu: '2', memory: '2Gi' } },
    });
    expect(stored.spec?.resources?.limits).not.toHaveProperty('ephemeral-storage');
    expect(stored.metadata.labels ?? {}).not.toHaveProperty('team');

    expect((await put(`/governance/policies/${scene.team}`, { maxIdleTimeout: '30m' })).status).toBe(200);
    const refused = await live.call('PATCH', '/sandboxes/patched', { idleTimeout: '2h' });
    expect(refused).toMatchObject({ status: 403, body: { violations: [{ code: 'idle_timeout_exceeded' }] } });
  });

  it('are created in batches as the quota allows, and judged without being stored', async () => {
    const items = ['m1', 'm2', 'm3'].map((name) => ({ name, templateRef: templateRef() }));
    const dry = await live.call('POST', '/sandboxes/bulk?dryRun=true', { items });
    expect(dry.body.results.map(({ status }: { status: string }) => status)).toEqual(
      Array(3).fill('created'),
    );
    expect((await live.call('GET', '/sandboxes/m1')).status).toBe(404);
    expect((await put(`/governance/policies/${scene.team}`, { maxSandboxesTotal: 2 })).status).toBe(200);
    const refused = await live.call('POST', '/sandboxes/bulk', { items });
    expect(refused).toMatchObject({
      status: 409,
      body: { error: 'quota_would_exceed', namespace: scene.team },
    });
    expect(
      (await live.call('DELETE', `/governance/policies/${scene.team}`, undefined, ADMIN_KEY)).status,
    ).toBe(204);
    const created = await live.call('POST', '/sandboxes/bulk', { items });
    expect(created.body.results).toMatchObject(
      items.map(({ name }) => ({ status: 'created', sandboxId: name })),
    );
    const ids = items.map(({ name }) => name);
    const deleted = await live.call('POST', '/sandboxes/bulk-action', { action: 'delete', ids });
    expect(deleted.body.results).toEqual(ids.map((id) => ({ id, status: 'ok' })));
  });
});
