// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { FINALIZER } from '@agenttier/crds/meta/labels';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import type { TemplateObject } from '@agenttier/crds/template/compose';
import { startControlPlane } from '@agenttier/e2e/envtest/controlPlane';
import type { ControlPlane } from '@agenttier/e2e/envtest/controlPlane';
import { installCrds } from '@agenttier/e2e/envtest/crds';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound, networkError } from '@agenttier/machinery/kube/errors';
import {
  NAMESPACES,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SERVICE_ACCOUNTS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chartOperator } from './testing/chartOperator.ts';
import { sandbox as build, SETTINGS, template } from './testing/fixtures.ts';
import { READY_POD } from './testing/pods.ts';

const CRDS = fileURLToPath(new URL('../../crds', import.meta.url));
const namespace = 'restart';

/** Lets the operator hear nothing of the API server for a while, as a broken connection does. */
class Partition {
  #cut: AbortController | undefined = new AbortController();

  begin(): void {
    this.#cut?.abort();
    this.#cut = undefined;
  }

  end(): void {
    this.#cut = new AbortController();
  }

  between(client: KubeClient): KubeClient {
    return {
      ...client,
      list: async (...of) => {
        this.#signal();
        return client.list(...of);
      },
      watch: (resource, query, control = {}) => {
        const signals = [this.#signal(), control.signal].filter((one) => one !== undefined);
        return client.watch(resource, query, { ...control, signal: AbortSignal.any(signals) });
      },
    };
  }

  #signal(): AbortSignal {
    if (this.#cut === undefined) throw networkError('the connection is cut');
    return this.#cut.signal;
  }
}

/** A control plane of this file's own, since it is crashed here. */
let controlPlane: ControlPlane;
let admin: KubeClient;
let chain: TemplateObject[];
let operator: { stop: () => Promise<void> };
const watches = new Partition();
const relisted = new Set<string>();

beforeAll(async () => {
  controlPlane = await startControlPlane(process.env);
  admin = createKubeClient(controlPlane.access);
  await installCrds(admin, CRDS);
  await admin.create(NAMESPACES, undefined, { metadata: { name: namespace } });
  await admin.create(SERVICE_ACCOUNTS, namespace, { metadata: { name: 'default', namespace } });
  const base = template({ image: { repository: 'example.test/tools', tag: '1' } }, 'restart');
  const { metadata, spec } = base;
  const made = await admin.create(CLUSTER_SANDBOX_TEMPLATES, undefined, {
    metadata: { name: metadata.name ?? '' },
    spec,
  } as KubeObject);
  chain = [{ ...base, metadata: made.metadata }];
  operator = await chartOperator(admin, SETTINGS, {
    spoil: (client) => watches.between(client),
    onList: (plural, reason) => reason === 'expired' && relisted.add(plural),
  });
});
afterAll(async () => {
  await operator?.stop();
  await admin?.close();
  await controlPlane?.stop();
});

async function apply(name: string): Promise<void> {
  const { metadata, ...rest } = build({ name, chain });
  const { annotations, finalizers } = metadata;
  const body = { ...rest, metadata: { name, namespace, annotations, finalizers } } as KubeObject;
  await admin.create(SANDBOXES, namespace, body);
}

const read = <T extends KubeObject>(resource: Resource, name: string): Promise<T | undefined> =>
  admin.get<T>(resource, { namespace, name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });

const uidOf = async (resource: Resource, name: string): Promise<string | undefined> =>
  (await read(resource, name))?.metadata.uid;

const statusOf = async (name: string) => (await read<Sandbox & KubeObject>(SANDBOXES, name))?.status ?? {};

/** As a kubelet that gets the pod to run. */
async function run(name: string): Promise<void> {
  await until(async () => (await uidOf(PODS, `${name}-pod`)) !== undefined, `the pod of ${name}`);
  const key = { namespace, name: `${name}-pod` };
  const patch = { type: 'merge', body: { status: READY_POD } } as const;
  await admin.patch(PODS, key, patch, { subresource: 'status' });
  await until(async () => (await statusOf(name)).phase === 'Running', `${name} to be Running`);
}

const restart = async (): Promise<void> => (await controlPlane.crashApiServer()).restart();

describe('the operator and an API server that does not last', () => {
  it('brings up everything that was asked for when the API server crashed in the middle', async () => {
    await apply('steady');
    await run('steady');
    const pod = await uidOf(PODS, 'steady-pod');
    const names = Array.from({ length: 12 }, (_, index) => `burst-${index}`);
    await Promise.all(names.map((name) => apply(name)));
    // Some have a pod by now and some have not: nothing waits for the operator here.
    await restart();
    await admin.delete(NETWORK_POLICIES, { namespace, name: 'steady-netpol' });
    for (const name of names) await run(name);
    await until(
      async () => (await uidOf(NETWORK_POLICIES, 'steady-netpol')) !== undefined,
      'the policy to be back',
    );
    const { items: pods } = await admin.list(PODS, { namespace });
    const { items: volumes } = await admin.list(PERSISTENT_VOLUME_CLAIMS, { namespace });
    expect([pods.length, volumes.length]).toEqual([13, 13]);
    for (const name of ['steady', ...names]) expect((await statusOf(name)).restartCount ?? 0).toBe(0);
    expect(await uidOf(PODS, 'steady-pod')).toBe(pod);
  });

  it('catches up when the history that its watches would continue from is compacted away', async () => {
    await apply('kept');
    await run('kept');
    await apply('doomed');
    await run('doomed');
    const [pod, policy] = [await uidOf(PODS, 'kept-pod'), await uidOf(NETWORK_POLICIES, 'kept-netpol')];
    relisted.clear();
    watches.begin();
    // What happens now, no watch will ever tell.
    await admin.delete(NETWORK_POLICIES, { namespace, name: 'kept-netpol' });
    await apply('unheard');
    await admin.delete(SANDBOXES, { namespace, name: 'doomed' });
    const stop = { type: 'merge', body: { spec: { desiredState: 'Stopped' } } } as const;
    await admin.patch(SANDBOXES, { namespace, name: 'steady' }, stop);
    expect((await read(SANDBOXES, 'doomed'))?.metadata.finalizers).toContain(FINALIZER);
    await controlPlane.compact();
    // A new API server has nothing in memory from before the compaction.
    await restart();
    watches.end();
    await run('unheard');
    await until(async () => (await uidOf(SANDBOXES, 'doomed')) === undefined, 'the deletion to be finished');
    await until(async () => (await statusOf('steady')).phase === 'Stopped', 'the stop');
    await until(async () => (await uidOf(NETWORK_POLICIES, 'kept-netpol')) !== undefined, 'a new policy');
    expect(await uidOf(NETWORK_POLICIES, 'kept-netpol')).not.toBe(policy);
    expect(await uidOf(PODS, 'kept-pod')).toBe(pod);
    expect(await statusOf('kept')).toMatchObject({ phase: 'Running' });
    expect((await statusOf('kept')).restartCount ?? 0).toBe(0);
    expect([...relisted]).toEqual(expect.arrayContaining(['sandboxes', 'networkpolicies', 'pods']));
  });
});
