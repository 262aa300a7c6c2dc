// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxWarmPool } from '@agenttier/crds/generated/types';
import { LABEL_SANDBOX_UID, LABEL_SLOT_NAME } from '@agenttier/crds/meta/labels';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOX_WARM_POOLS, SANDBOXES } from '@agenttier/crds/meta/resources';
import type { TemplateObject } from '@agenttier/crds/template/compose';
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import { runController } from '@agenttier/machinery/controller/controller';
import { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import {
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCaches, createReflectors } from '../caches.ts';
import type { Pod } from '../core.ts';
import type { AskRuntime } from '../runtime/client.ts';
import { createReconcile } from '../sandbox/controller.ts';
import { feedQueue } from '../sandbox/feed.ts';
import { Notebook } from '../sandbox/notes.ts';
import { sandbox as build, SETTINGS, template } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { keepPools } from './controller.ts';
import { Slots } from './slots.ts';

let admin: KubeClient;
let namespace: string;
let chain: TemplateObject[];
const stop = new AbortController();
const adopted: string[] = [];
let running: Promise<unknown>;

const ask: AskRuntime = async (_address, { body }) => {
  adopted.push((body as { sandbox: string }).sandbox);
  return { ok: true, status: 200, body: undefined as never };
};

beforeAll(async () => {
  admin = await adminClient();
  namespace = await freshNamespace('warmpool', { 'pod-security.kubernetes.io/enforce': 'restricted' });
  const base = template(
    { image: { repository: 'example.test/tools', tag: '1' }, harness: { shell: '/bin/sh' } },
    `warm-${namespace}`,
  );
  const made = await admin.create(CLUSTER_SANDBOX_TEMPLATES, undefined, {
    metadata: { name: base.metadata.name ?? '' },
    spec: base.spec,
  } as KubeObject);
  chain = [{ ...base, metadata: made.metadata }];
  const caches = createCaches();
  const reflectors = createReflectors({ client: admin, caches, log: silentLogger });
  const watching = reflectors.map((one) => one.run(stop.signal));
  await Promise.all(reflectors.map((one) => one.synced()));
  const slots = new Slots();
  const queue = new WorkQueue({ minBackoffMs: 50, maxBackoffMs: 1_000 });
  const none = { start: (): void => undefined, end: (): void => undefined, forget: (): void => undefined };
  const common = { client: admin, caches, settings: SETTINGS, log: silentLogger };
  const reconcile = createReconcile({
    ...common,
    notebook: new Notebook(),
    announce: () => undefined,
    probe: none,
    jobs: none,
    warm: { slots, ask, tokenKey: SETTINGS.tokenKey },
  });
  const stopFeeding = feedQueue(caches, queue, () => undefined);
  stop.signal.addEventListener('abort', stopFeeding);
  running = Promise.all([
    keepPools({ ...common, slots, ask: async () => 'notYet' }, stop.signal),
    runController({ name: 'sandbox', queue, workers: 4, reconcile, log: silentLogger, signal: stop.signal }),
    ...watching,
  ]);
});

afterAll(async () => {
  stop.abort();
  await running;
});

const list = async <T extends KubeObject>(resource: Resource): Promise<readonly T[]> =>
  (await admin.list<T>(resource, { namespace })).items;

const pool = async () =>
  admin.get<SandboxWarmPool & KubeObject>(SANDBOX_WARM_POOLS, { namespace, name: 'pool' });

/** Does what a kubelet would: new pods are ready, deleted ones are gone. */
async function kubelet(): Promise<void> {
  for (const pod of await list<Pod>(PODS)) {
    const { name = '', deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      await admin.delete(PODS, { namespace, name }, { gracePeriodSeconds: 0 }).catch(() => undefined);
    } else if (pod.status?.podIP === undefined) {
      const body = { status: { ...READY_POD, podIPs: [{ ip: READY_POD.podIP }] } };
      await admin.patch(PODS, { namespace, name }, { type: 'merge', body }, { subresource: 'status' });
    }
  }
}

async function start(name: string): Promise<void> {
  const { metadata, ...rest } = build({ name, chain });
  const { annotations, finalizers } = metadata;
  const body = { ...rest, metadata: { name, namespace, annotations, finalizers } };
  await admin.create(SANDBOXES, namespace, body as KubeObject);
}

const sandbox = (name: string) => admin.get<Sandbox & KubeObject>(SANDBOXES, { namespace, name });

const isUp = (name: string) => async (): Promise<boolean> => {
  await kubelet();
  return (await sandbox(name)).status?.phase === 'Running';
};

describe('a pool on a real API server', () => {
  it('fills, and tells so', async () => {
    const templateRef = { kind: 'ClusterSandboxTemplate', name: chain[0]?.metadata.name };
    const spec = { templateRef, replicas: 2 };
    await admin.create(SANDBOX_WARM_POOLS, namespace, { metadata: { name: 'pool' }, spec } as KubeObject);
    await until(async () => {
      await kubelet();
      return (await pool()).status?.free === 2;
    }, 'two free slots');
    const path = `/apis/agenttier.io/v1alpha1/namespaces/${namespace}/sandboxwarmpools/pool/scale`;
    expect((await admin.raw({ method: 'GET', path })).body).toMatchObject({
      spec: { replicas: 2 },
      status: { replicas: 2, selector: 'agenttier.io/slot=pool,agenttier.io/slot-state=open' },
    });
  });

  it('gives its slots to those who come at once, each to one, and makes everything theirs', async () => {
    const names = ['one', 'two', 'three'];
    await Promise.all(names.map((name) => start(name)));
    for (const name of names) await until(isUp(name), `${name} to be up`);
    const all = await Promise.all(names.map((name) => sandbox(name)));
    expect(new Set(all.map(({ status }) => status?.podName)).size).toBe(3);
    expect(all.filter(({ status }) => status?.startup?.path === 'warm').length).toBeGreaterThanOrEqual(2);
    const warm = all.find(({ status }) => status?.startup?.path === 'warm');
    const { uid } = warm?.metadata ?? {};
    expect(adopted).toContain(uid);
    const slot = warm?.status?.podName;
    for (const resource of [PERSISTENT_VOLUME_CLAIMS, SECRETS, NETWORK_POLICIES]) {
      await until(async () => {
        const parts = (await list(resource)).filter(
          ({ metadata }) => metadata.labels?.[LABEL_SLOT_NAME] === slot,
        );
        return parts.length === 1 && parts[0]?.metadata.ownerReferences?.[0]?.uid === uid;
      }, `the ${resource.plural} of the slot to be the sandbox's`);
    }
    const policies = await list<KubeObject & { spec: object }>(NETWORK_POLICIES);
    expect(policies.find(({ metadata }) => metadata.name === `${slot}-netpol`)?.spec).toMatchObject({
      podSelector: { matchLabels: { [LABEL_SANDBOX_UID]: uid } },
    });
  });

  it('is filled again, and goes with its slots when it is deleted, but not with what was claimed', async () => {
    await until(async () => {
      await kubelet();
      const { status } = await pool();
      return status?.free === 2 && (status.claimedTotal ?? 0) >= 2;
    }, 'two free slots again, and two claims counted');
    await admin.delete(SANDBOX_WARM_POOLS, { namespace, name: 'pool' });
    await until(async () => {
      await kubelet();
      const volumes = await list(PERSISTENT_VOLUME_CLAIMS);
      const living = volumes.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      return living.length === 3;
    }, 'the volumes of the slots to be gone');
    expect(await list(PODS)).toHaveLength(3);
    for (const name of ['one', 'two', 'three']) {
      expect((await sandbox(name)).status).toMatchObject({ phase: 'Running' });
    }
  });
});
