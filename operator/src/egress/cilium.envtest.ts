// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { findCondition } from '@agenttier/crds/meta/conditions';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { startControlPlane } from '@agenttier/e2e/envtest/controlPlane';
import type { ControlPlane } from '@agenttier/e2e/envtest/controlPlane';
import { installCrds } from '@agenttier/e2e/envtest/crds';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import {
  CILIUM_NETWORK_POLICIES,
  crdName,
  CUSTOM_RESOURCE_DEFINITIONS,
  NAMESPACES,
  NETWORK_POLICIES,
  PODS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CiliumNetworkPolicy, Pod } from '../core.ts';
import { chartOperator } from '../testing/chartOperator.ts';
import { sandbox as build, SETTINGS } from '../testing/fixtures.ts';
import { hasProxy } from './proxyMark.ts';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const OURS = folder('../../../crds');
const CILIUM = folder('../../testdata/crds');
const namespace = 'team';

// A kind is the whole cluster's business: the API server of the other tests must not have this one.
let plane: ControlPlane;
let admin: KubeClient;
let operator: { stop: () => Promise<void> };

beforeAll(async () => {
  plane = await startControlPlane(process.env);
  admin = createKubeClient(plane.access);
  await installCrds(admin, OURS);
  for (const name of [namespace, SETTINGS.installNamespace])
    await admin.create(NAMESPACES, undefined, { metadata: { name } });
  await admin.create(SERVICE_ACCOUNTS, namespace, { metadata: { name: 'default' } });
  await installGateway();
  operator = await chartOperator(admin, SETTINGS);
}, 120_000);

afterAll(async () => {
  await operator.stop();
  await admin.close();
  await plane.stop();
});

async function installGateway(): Promise<void> {
  const body = { metadata: { name: 'agenttier-gateway' }, spec: { ports: [{ port: 3128 }] } };
  await admin.create(SERVICES, SETTINGS.installNamespace, body);
}

async function apply(name: string): Promise<void> {
  const network = { allowedDomains: ['packages.example', '*.example.com'] };
  const spec = { image: { repository: 'example.test/tools' }, network };
  const made = build({ name, spec, chain: [] });
  const { templateRef: _, ...rest } = made.spec ?? {};
  const { annotations, finalizers } = made.metadata;
  const body = { ...made, spec: rest, metadata: { name, namespace, annotations, finalizers } };
  await admin.create(SANDBOXES, namespace, body as KubeObject);
}

async function find<T extends KubeObject>(resource: Resource, name: string): Promise<T | undefined> {
  return admin.get<T>(resource, { namespace, name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });
}

const cilium = (name: string) => find<CiliumNetworkPolicy>(CILIUM_NETWORK_POLICIES, `${name}-netpol`);
const pod = (name: string) => find<Pod>(PODS, `${name}-pod`);
const opensGateway = async (name: string): Promise<boolean> =>
  JSON.stringify((await find(NETWORK_POLICIES, `${name}-netpol`)) ?? {}).includes(
    '"app.kubernetes.io/component":"gateway"',
  );
const says = async (name: string, text: string): Promise<void> => {
  const holds = async (): Promise<boolean> => {
    const { status } = await admin.get<Sandbox & KubeObject>(SANDBOXES, { namespace, name });
    return findCondition(status?.conditions, 'NetworkReady')?.message.includes(text) ?? false;
  };
  await until(holds, `NetworkReady of ${name} to say ${text}`);
};

describe('the kind of Cilium, on a real API server with the rights of the chart', () => {
  it('comes: what runs keeps the gateway, what starts has a policy of its own', async () => {
    await apply('old');
    await until(async () => hasProxy(await pod('old')), 'a pod with the proxy');
    await installCrds(admin, CILIUM);
    await until(async () => {
      const name = `probe-${Math.random().toString(36).slice(2, 8)}`;
      await apply(name);
      await until(async () => (await pod(name)) !== undefined, 'the pod');
      return !hasProxy(await pod(name));
    }, 'a pod that starts without the proxy');
    await apply('new');
    await until(async () => (await pod('new')) !== undefined, 'the pod');
    expect(hasProxy(await pod('new'))).toBe(false);
    expect(JSON.stringify((await cilium('new'))?.spec)).toContain('{"matchPattern":"**.example.com"}');
    expect(await opensGateway('new')).toBe(false);
    await says('new', 'enforced by a CiliumNetworkPolicy');
    expect(await opensGateway('old')).toBe(true);
    expect(await cilium('old')).toBeUndefined();
  });

  it('is made right when somebody deletes it, opens it or adds to it', async () => {
    const key = { namespace, name: 'new-netpol' };
    const before = (await cilium('new')) as CiliumNetworkPolicy;
    const restored = async (): Promise<boolean> => {
      const now = await cilium('new');
      return (
        now !== undefined && !('specs' in now) && JSON.stringify(now.spec) === JSON.stringify(before.spec)
      );
    };
    await admin.delete(CILIUM_NETWORK_POLICIES, key);
    await until(restored, 'the policy');
    const all = [{ toEntities: ['all'] }];
    for (const body of [
      { spec: { egress: all } },
      { spec: { ingress: [{}] } },
      { spec: { egressDeny: null } },
      { specs: [{ endpointSelector: {}, egress: all }] },
      { spec: { endpointSelector: { matchLabels: { x: 'y' } } } },
      { metadata: { labels: { 'agenttier.io/managed': null } } },
    ]) {
      await admin.patch(CILIUM_NETWORK_POLICIES, key, { type: 'merge', body });
      await until(restored, `the policy after ${JSON.stringify(body)}`);
    }
    await until(
      async () => (await cilium('new'))?.metadata.labels?.['agenttier.io/managed'] === 'true',
      'the label',
    );
  });

  it('goes: the gateway opens only then, and what runs says that it has to start again', async () => {
    await admin.delete(CUSTOM_RESOURCE_DEFINITIONS, { name: crdName(CILIUM_NETWORK_POLICIES) });
    await says('new', 'do not know the gateway until a restart');
    expect(await opensGateway('new')).toBe(true);
    await apply('late');
    await until(async () => hasProxy(await pod('late')), 'a pod with the proxy');
  });
});

it('a forced gateway takes the policies away that are there', async () => {
  await installCrds(admin, CILIUM);
  await until(async () => {
    const name = `again-${Math.random().toString(36).slice(2, 8)}`;
    await apply(name);
    await until(async () => (await pod(name)) !== undefined, 'the pod');
    return (await cilium(name)) !== undefined;
  }, 'a policy of Cilium');
  await operator.stop();
  const egress = { enforcement: 'gateway', privateCidrs: [] } as const;
  operator = await chartOperator(admin, { ...SETTINGS, egress });
  await until(
    async () => (await admin.list(CILIUM_NETWORK_POLICIES, { namespace })).items.length === 0,
    'no policy of Cilium',
  );
});
