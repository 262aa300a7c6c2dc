// SPDX-License-Identifier: Apache-2.0
import { adminAccess, adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOX_WARM_POOLS, SANDBOXES, WEBHOOK_SUBSCRIPTIONS } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { DEPLOYMENTS, NODES, PERSISTENT_VOLUME_CLAIMS, SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, BOB_KEY } from './testing/harness.ts';
import { LiveRouter, storeKey } from './testing/liveRouter.ts';
import type { LiveRouterOptions } from './testing/liveRouter.ts';

type SandboxObject = Sandbox & KubeObject;

let admin: KubeClient;
let options: LiveRouterOptions;
let replicas: LiveRouter[];

beforeAll(async () => {
  admin = await adminClient();
  options = {
    admin,
    adminAccess: await adminAccess(),
    installNamespace: await freshNamespace('install'),
    sandboxNamespace: await freshNamespace('manage'),
  };
  replicas = [await LiveRouter.start(options), await LiveRouter.replica(options)];
});

afterAll(async () => {
  await Promise.all(replicas.map((live) => live.stop()));
});

const call = (method: string, path: string, body?: unknown, key = ADMIN_KEY, replica = 0) =>
  (replicas[replica] as LiveRouter).call(method, path, body, key);

async function sandbox(name: string): Promise<SandboxObject> {
  const namespace = options.sandboxNamespace;
  const made = await admin.create<SandboxObject>(SANDBOXES, namespace, {
    metadata: { name, namespace },
    spec: { templateRef: { name: 'shell' }, createdBy: { sub: 'ann' } },
  });
  await until(async () => {
    const seen = [0, 1].map((replica) => call('GET', `/sandboxes/${name}`, undefined, ANN_KEY, replica));
    return (await Promise.all(seen)).every(({ status }) => status === 200);
  }, `${name} to be seen by both replicas`);
  return made;
}

describe('a share link over two replicas', () => {
  it('lets in as many of ten who come at once as it says, and counts them', async () => {
    await sandbox('by-link');
    const people = Array.from({ length: 10 }, (_, i) => `guest-${i}`);
    const keys = people.map((sub) => `atk_${sub}-0123456789abcdefghijklmnop`);
    await Promise.all(keys.map((key, i) => storeKey(options, key, { userId: people[i] })));
    const made = await call('POST', '/sandboxes/by-link/share-links', { maxUses: 3 }, ANN_KEY);
    const { token } = made.body;
    const answers = await Promise.all(
      keys.map((key, i) => call('POST', '/share-links/redeem', { token }, key, i % 2)),
    );
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([200, 200, 200, 410, 410, 410, 410, 410, 410, 410]);
    const key = { namespace: options.sandboxNamespace, name: 'by-link' };
    const { sharing } = (await admin.get<SandboxObject>(SANDBOXES, key)).spec ?? {};
    expect(sharing?.shareLinks).toMatchObject([{ usedCount: 3 }]);
    const inside = people.filter((_, i) => answers[i]?.status === 200);
    expect(sharing?.users?.map(({ identity }) => identity).sort()).toEqual(inside);
    expect((await call('GET', '/sandboxes/by-link', undefined, BOB_KEY)).status).toBe(404);
  });
});

describe('what the router may do on a real API server', () => {
  it('writes warm pools as the administrator, and nobody else does', async () => {
    const pools = [{ template: 'shell', desiredCount: 2 }];
    expect((await call('PUT', '/warmpool/config', { pools })).status).toBe(200);
    expect(
      (await call('PUT', '/warmpool/config', { pools: [{ ...pools[0], desiredCount: 4 }] })).status,
    ).toBe(200);
    const key = { namespace: options.sandboxNamespace, name: 'shell' };
    const made = await admin.get<KubeObject & { spec: object }>(SANDBOX_WARM_POOLS, key);
    expect(made.spec).toMatchObject({ templateRef: { name: 'shell' }, replicas: 4 });
    const wrong = await call('POST', '/warmpools', { name: 'bad', spec: { replicas: 'many' } });
    expect(wrong.status).toBe(422);
    expect((await call('PUT', '/warmpool/config', { pools: [] })).status).toBe(200);
    await expect(admin.get(SANDBOX_WARM_POOLS, key)).rejects.toSatisfy(isNotFound);
  });

  it('shows nodes and placeholders, and changes those as the administrator', async () => {
    const node = `node-${options.sandboxNamespace}`;
    await admin.create(NODES, undefined, { metadata: { name: node } });
    const status = {
      allocatable: { cpu: '4', memory: '8Gi' },
      conditions: [{ type: 'Ready', status: 'True' }],
    };
    await admin.patch(NODES, { name: node }, { type: 'merge', body: { status } }, { subresource: 'status' });
    expect((await call('GET', '/cluster/headroom')).body.enabled).toBe(false);
    expect((await call('PUT', '/cluster/headroom', { replicas: 1 })).status).toBe(404);
    await headroom();
    await until(async () => (await call('GET', '/cluster/headroom')).body.enabled === true, 'it to be seen');
    const changed = await call('PUT', '/cluster/headroom', { replicas: 3, cpu: '250m' });
    expect(changed).toMatchObject({ status: 200, body: { replicas: 3, cpu: '250m', memory: '1Gi' } });
    const key = { namespace: options.installNamespace, name: 'agenttier-headroom' };
    const { spec } = await admin.get<KubeObject & { spec: { template: { spec: object } } }>(DEPLOYMENTS, key);
    const amounts = { cpu: '250m', memory: '1Gi' };
    expect(spec.template.spec).toMatchObject({
      containers: [{ image: 'placeholder', resources: { requests: amounts, limits: amounts } }],
    });
    await until(async () => {
      const { nodes } = (await call('GET', '/cluster/nodes')).body;
      return nodes.some((each: { name: string; ready: boolean }) => each.name === node && each.ready);
    }, 'the node to be seen');
    expect((await call('GET', '/cluster/status', undefined, BOB_KEY)).body.nodes).toBeGreaterThan(0);
  });

  it('keeps the signing key of a webhook where the operator looks for it', async () => {
    await sandbox('watched');
    const wish = { url: 'https://hooks.example.com/in', eventTypes: ['sandbox.error'], sandboxId: 'watched' };
    const made = await call('POST', '/webhooks', wish, ANN_KEY);
    expect(made.status).toBe(201);
    const { id } = made.body;
    const where = { namespace: options.installNamespace, name: `agenttier-webhook-${id}` };
    expect((await admin.get(SECRETS, where)).metadata.annotations).toEqual({
      'agenttier.io/subscription': `${options.sandboxNamespace}/${id}`,
    });
    // Without the webhook nobody stamps the owner, so it is the administrator's to delete.
    await until(
      async () => (await call('GET', `/webhooks/${id}/deliveries`)).status === 200,
      'the subscription to be seen',
    );
    expect((await call('DELETE', `/webhooks/${id}`)).status).toBe(204);
    const key = { namespace: options.sandboxNamespace, name: id };
    await expect(admin.get(WEBHOOK_SUBSCRIPTIONS, key)).rejects.toSatisfy(isNotFound);
    await expect(admin.get(SECRETS, where)).rejects.toSatisfy(isNotFound);
  });

  it('keeps preferences, and lets one replica see what the other was told', async () => {
    expect((await call('PUT', '/user/preferences', { theme: 'dark' }, BOB_KEY, 0)).status).toBe(200);
    expect((await call('GET', '/user/preferences', undefined, BOB_KEY, 1)).body).toEqual({ theme: 'dark' });
  });

  it('has no backups where the cluster has no snapshots', async () => {
    const { metadata } = await sandbox('kept');
    const key = { namespace: options.sandboxNamespace, name: 'kept' };
    const body = { status: { phase: 'Stopped', pvcName: 'kept-workspace' } };
    await admin.patch(SANDBOXES, key, { type: 'merge', body }, { subresource: 'status' });
    await until(
      async () => (await call('POST', '/sandboxes/kept/backups', {}, ANN_KEY)).status === 422,
      'the volume to be seen',
    );
    expect((await call('GET', '/sandboxes/kept/backups', undefined, ANN_KEY)).body).toEqual({ backups: [] });
    await claim(metadata.uid ?? '');
    await until(async () => {
      const { per_user: lines } = (await call('GET', '/analytics/costs')).body;
      return lines.some(
        (line: { user: string; hourly_cost: number }) => line.user === 'ann' && line.hourly_cost > 0,
      );
    }, 'the volume to cost something');
  });
});

const headroom = () =>
  admin.create(DEPLOYMENTS, options.installNamespace, {
    metadata: {
      name: 'agenttier-headroom',
      namespace: options.installNamespace,
      labels: { 'app.kubernetes.io/component': 'headroom' },
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'headroom' } },
      template: {
        metadata: { labels: { app: 'headroom' } },
        spec: {
          containers: [
            {
              name: 'placeholder',
              image: 'placeholder',
              resources: {
                requests: { cpu: '500m', memory: '1Gi' },
                limits: { cpu: '500m', memory: '1Gi' },
              },
            },
          ],
        },
      },
    },
  } as KubeObject);

const claim = (uid: string) =>
  admin.create(PERSISTENT_VOLUME_CLAIMS, options.sandboxNamespace, {
    metadata: {
      name: 'kept-workspace',
      namespace: options.sandboxNamespace,
      labels: { 'app.kubernetes.io/component': 'sandbox', 'agenttier.io/sandbox-uid': uid },
    },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
  } as KubeObject);
