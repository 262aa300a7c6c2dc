// SPDX-License-Identifier: Apache-2.0
import { adminAccess, adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import type { Sandbox } from '@agenttier/crds/generated/types';
import {
  ANNOTATION_TOKEN_NONCE,
  COMPONENT_SANDBOX,
  LABEL_COMPONENT,
  ownedLabels,
} from '@agenttier/crds/meta/labels';
import { podName } from '@agenttier/crds/meta/names';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { PODS, SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeRuntime } from './testing/fakeRuntime.ts';
import { ADMIN_KEY, ANN_KEY, BOB_KEY } from './testing/harness.ts';
import { LiveRouter, storeKey } from './testing/liveRouter.ts';
import { admit, TEST_NONCE } from './testing/tokens.ts';

let admin: KubeClient;
let namespace: string;
let installNamespace: string;
let runtime: FakeRuntime;
let live: LiveRouter;

type SandboxObject = Sandbox & KubeObject;

beforeAll(async () => {
  admin = await adminClient();
  namespace = await freshNamespace('router');
  installNamespace = await freshNamespace('install');
  runtime = await FakeRuntime.start();
  live = await LiveRouter.start({
    admin,
    adminAccess: await adminAccess(),
    installNamespace,
    sandboxNamespace: namespace,
    runtimePort: runtime.port,
  });
});

afterAll(async () => {
  await live.stop();
  await runtime.close();
});

const call: LiveRouter['call'] = (...parameters) => live.call(...parameters);

const stored = (name: string): Promise<SandboxObject> =>
  admin.get<SandboxObject>(SANDBOXES, { namespace, name });

/** A running sandbox as operator and kubelet would leave it. */
async function runningSandbox(name: string): Promise<void> {
  const created = await admin.create<SandboxObject>(SANDBOXES, namespace, {
    metadata: { name, namespace },
    spec: { templateRef: { name: 'shell' }, createdBy: { sub: 'ann' } },
  });
  const labels = ownedLabels(name, created.metadata.uid ?? '');
  admit(created.metadata.uid ?? '');
  const pod = {
    metadata: {
      name: podName(name),
      namespace,
      labels: { ...labels, [LABEL_COMPONENT]: COMPONENT_SANDBOX },
      annotations: { [ANNOTATION_TOKEN_NONCE]: TEST_NONCE },
    },
    spec: { containers: [{ name: 'sandbox', image: 'debian' }] },
  };
  await admin.create<KubeObject>(PODS, namespace, pod);
  const podStatus = { phase: 'Running', podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }] };
  await admin.patch(
    PODS,
    { namespace, name: podName(name) },
    { type: 'merge', body: { status: podStatus } },
    { subresource: 'status' },
  );
  const status = { phase: 'Running', podName: podName(name) };
  await admin.patch(
    SANDBOXES,
    { namespace, name },
    { type: 'merge', body: { status } },
    { subresource: 'status' },
  );
  await until(
    async () => (await call('GET', `/sandboxes/${name}`)).body['status'] === 'Running',
    `${name} to be seen`,
  );
  await until(
    () => live.router.stores.pods.get(namespace, podName(name))?.status?.podIP !== undefined,
    'its pod to be seen',
  );
}

describe('the router on a real API server', () => {
  it('creates as the person, whom alone RBAC allows it, and shows it at once', async () => {
    const body = {
      name: 'made',
      templateRef: { name: 'shell' },
      timeout: '1h',
      resources: { limits: { cpu: '1' } },
    };
    const created = await call('POST', '/sandboxes', body);
    expect(created).toEqual({
      status: 201,
      body: { sandboxId: 'made', name: 'made', namespace, status: 'Creating', templateRef: 'shell' },
    });
    expect((await call('GET', '/sandboxes/made', undefined, ADMIN_KEY)).body['status']).toBe('Creating');
    const object = await stored('made');
    expect(object.spec).toMatchObject({ timeout: '1h', resources: { limits: { cpu: '1' } } });
    const { managedFields } = object.metadata as { managedFields: { manager: string }[] };
    expect(managedFields.map(({ manager }) => manager)).toContain('agenttier-router');
    // The router itself may not: without impersonation the same write is refused, and so is a look at a Secret.
    await expect(live.client.list(SECRETS, { namespace })).rejects.toMatchObject({ status: 403 });
    const own = live.client.create(SANDBOXES, namespace, { metadata: { name: 'own', namespace } });
    await expect(own).rejects.toMatchObject({ status: 403 });
  });

  it('hands on what the schema refuses, with the field', async () => {
    const body = { name: 'bad', templateRef: { name: 'shell', kind: 'Nonsense' }, storage: { size: 'much' } };
    const answer = await call('POST', '/sandboxes', body);
    expect(answer.status).toBe(422);
    const fields = (answer.body['violations'] as { field: string }[]).map(({ field }) => field);
    expect(fields).toContain('spec.templateRef.kind');
    expect(await call('POST', '/sandboxes', { name: 'made', templateRef: { name: 'shell' } })).toMatchObject({
      status: 409,
    });
  });

  it('refuses with JSON where RBAC does not let the person write', async () => {
    const answer = await call('POST', '/sandboxes', {
      name: 'x',
      namespace: 'no-such-namespace',
      templateRef: { name: 'a' },
    });
    expect(answer.status).toBe(404);
    expect(answer.body['error']).toContain('no-such-namespace');
  });

  it('stops, resumes and deletes as the owner', async () => {
    await runningSandbox('cycle');
    expect((await call('POST', '/sandboxes/cycle/stop')).body).toEqual({ status: 'stopping' });
    expect((await stored('cycle')).spec?.desiredState).toBe('Stopped');
    expect((await call('GET', '/sandboxes/cycle')).body['desiredState']).toBe('Stopped');
    expect((await call('POST', '/sandboxes/cycle/resume')).status).toBe(200);
    const resumed = await stored('cycle');
    expect(resumed.spec?.desiredState).toBe('Running');
    expect(resumed.metadata.annotations?.['agenttier.io/retry']).toBeDefined();
    expect((await call('DELETE', '/sandboxes/cycle')).status).toBe(204);
    await expect(stored('cycle')).rejects.toSatisfy(isNotFound);
    await until(
      async () => (await call('GET', '/sandboxes/cycle')).status === 404,
      'the deletion to be seen',
    );
  });

  it('runs a command and records the use in the status', async () => {
    await runningSandbox('busy');
    runtime.onExec = () => ({ exitCode: 0, stdout: 'hi', stderr: '', durationMs: 1, timedOut: false });
    expect(await call('POST', '/sandboxes/busy/exec', { command: 'echo hi' })).toMatchObject({
      status: 200,
      body: { stdout: 'hi' },
    });
    await until(
      async () => (await stored('busy')).status?.lastActivityTimestamp !== undefined,
      'the use to be recorded',
    );
    expect((await stored('busy')).status?.phase).toBe('Running');
    // Without a database the Events of sandboxes are what can be asked for; nobody else learns of them.
    const seen = async (key: string): Promise<string[]> =>
      (await call('GET', '/audit/events?sandbox=busy', undefined, key)).body.events.map(
        (each: { eventType: string }) => each.eventType,
      );
    await until(async () => (await seen(ADMIN_KEY)).includes('ExecRun'), 'the Event');
    expect(await seen(ANN_KEY)).toContain('ExecRun');
    expect(await seen(BOB_KEY)).toEqual([]);
  });

  it('shows templates', async () => {
    const spec = { description: 'A shell', image: { repository: 'debian:12' } };
    const name = `shell-${namespace}`;
    await admin.create(CLUSTER_SANDBOX_TEMPLATES, undefined, { metadata: { name }, spec } as KubeObject);
    await until(
      async () => (await call('GET', `/templates/${name}`)).status === 200,
      'the template to be seen',
    );
    expect((await call('GET', `/templates/${name}`)).body).toMatchObject({
      name,
      image: 'debian:12',
      description: 'A shell',
    });
  });

  it('forgets a revoked key with its Secret', async () => {
    const key = 'atk_gone-0123456789abcdefghijklmn';
    const name = await storeKey({ admin, installNamespace }, key, { userId: 'gone' });
    expect((await call('GET', '/user/me', undefined, key)).status).toBe(200);
    await admin.delete(SECRETS, { namespace: installNamespace, name });
    await until(
      async () => (await call('GET', '/user/me', undefined, key)).status === 401,
      'the key to be forgotten',
    );
  });
});

describe('API keys', () => {
  it('are made and ended under the account of the router, and the watch tells of both', async () => {
    const made = await call('POST', '/user/api-keys', { name: 'by REST', expiresIn: '1h' });
    expect(made.status).toBe(201);
    const { id, key } = made.body;
    expect((await call('GET', '/user/me', undefined, key)).body.sub).toBe('ann');
    expect((await call('GET', '/user/api-keys')).body.keys.map((each: { id: string }) => each.id)).toContain(
      id,
    );
    // As another replica sees it: the Secret goes away without this one having a hand in it.
    await admin.delete(SECRETS, { namespace: installNamespace, name: id });
    await until(async () => (await call('GET', '/user/me', undefined, key)).status === 401, 'the key to end');

    const second = (await call('POST', '/user/api-keys')).body;
    expect((await call('DELETE', `/user/api-keys/${second.id}`)).status).toBe(200);
    await expect(admin.get(SECRETS, { namespace: installNamespace, name: second.id })).rejects.toSatisfy(
      isNotFound,
    );
  });
});
