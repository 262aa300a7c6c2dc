// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { findCondition } from '@agenttier/crds/meta/conditions';
import { GOVERNANCE_POLICIES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isAlreadyExists, isNotFound } from '@agenttier/machinery/kube/errors';
import {
  ENDPOINT_SLICES,
  NAMESPACES,
  NETWORK_POLICIES,
  pathOf,
  PODS,
  SERVICES,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod, Service } from '../core.ts';
import { chartOperator } from '../testing/chartOperator.ts';
import { sandbox as build, SETTINGS } from '../testing/fixtures.ts';

let admin: KubeClient;
let namespace: string;
let other: string;
let operator: { stop: () => Promise<void> };

beforeAll(async () => {
  admin = await adminClient();
  namespace = await freshNamespace('network');
  other = await freshNamespace('network-other');
  operator = await chartOperator(admin, SETTINGS);
});

afterAll(() => operator.stop());

async function apply(
  name: string,
  network: NonNullable<NonNullable<Sandbox['spec']>['network']>,
): Promise<void> {
  const { metadata, ...rest } = build({
    name,
    spec: { image: { repository: 'example.test/tools' }, network },
    chain: [],
  });
  const { templateRef: _, ...spec } = rest.spec ?? {};
  const { annotations, finalizers } = metadata;
  const body = { ...rest, spec, metadata: { name, namespace, annotations, finalizers } };
  await admin.create(SANDBOXES, namespace, body as KubeObject);
}

const make = (resource: Resource, of: string, body: object): Promise<KubeObject> =>
  admin.create(resource, of, body as KubeObject);

const policyText = async (name: string): Promise<string> => {
  const found = await admin
    .get(NETWORK_POLICIES, { namespace, name: `${name}-netpol` })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  return JSON.stringify(found ?? {});
};

const opens = (name: string, text: string): Promise<unknown> =>
  until(async () => (await policyText(name)).includes(text), `${name}-netpol to have ${text}`);

const closes = (name: string, text: string): Promise<unknown> =>
  until(async () => !(await policyText(name)).includes(text), `${name}-netpol to be without ${text}`);

const networkReady = async (name: string) => {
  const { status } = await admin.get<Sandbox & KubeObject>(SANDBOXES, { namespace, name });
  return findCondition(status?.conditions, 'NetworkReady');
};

describe('rules by Service, on a real API server', () => {
  it('follow the Service: absent, made, changed, gone; and the sandbox says which it misses', async () => {
    await apply('client', { egressRules: [{ serviceRef: { name: 'db', port: 5432 } }] });
    await until(async () => (await networkReady('client'))?.reason === 'ServiceUnresolved', 'the condition');
    expect((await networkReady('client'))?.message).toContain(`Service ${namespace}/db does not exist`);
    const ports = [{ name: 'sql', port: 5432, targetPort: 15432 }];
    await make(SERVICES, namespace, {
      metadata: { name: 'db' },
      spec: { selector: { app: 'postgres' }, ports },
    });
    await opens('client', '"port":15432');
    expect(await policyText('client')).toContain('{"app":"postgres"}');
    await until(async () => (await networkReady('client'))?.reason === 'Applied', 'the condition');
    const patch = { type: 'merge', body: { spec: { selector: { app: 'mysql' } } } } as const;
    await admin.patch(SERVICES, { namespace, name: 'db' }, patch);
    await opens('client', '{"app":"mysql"}');
    await admin.delete(SERVICES, { namespace, name: 'db' });
    await closes('client', 'mysql');
  });

  it('of another namespace open only when that Service says so', async () => {
    const spec = { selector: { app: 'cache' }, ports: [{ port: 6379 }] };
    await make(SERVICES, other, { metadata: { name: 'cache' }, spec });
    await apply('guest', { egressRules: [{ serviceRef: { name: 'cache', namespace: other } }] });
    await until(async () => (await networkReady('guest'))?.reason === 'ServiceUnresolved', 'the condition');
    expect(await policyText('guest')).not.toContain('6379');
    const share = (value: string | null) => {
      const annotations = { 'agenttier.io/allow-sandboxes-from': value };
      const body = { metadata: { annotations } };
      return admin.patch(SERVICES, { namespace: other, name: 'cache' }, { type: 'merge', body });
    };
    await share(namespace);
    await opens('guest', '"port":6379');
    await share(null);
    await closes('guest', '6379');
  });

  it('without a selector are the addresses written for it, as far as the policy lets', async () => {
    await make(SERVICES, namespace, { metadata: { name: 'legacy' }, spec: { ports: [{ port: 443 }] } });
    await make(ENDPOINT_SLICES, namespace, {
      metadata: { name: 'legacy-1', labels: { 'kubernetes.io/service-name': 'legacy' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.77.0.9'] }, { addresses: ['203.0.113.9'] }],
      ports: [{ port: 8443 }],
    });
    await apply('old', { egressRules: [{ serviceRef: { name: 'legacy' } }] });
    await opens('old', '203.0.113.9/32');
    expect(await policyText('old')).toContain('"port":8443');
    await make(GOVERNANCE_POLICIES, namespace, {
      metadata: { name: 'default' },
      spec: { allowInternet: false },
    });
    await closes('old', '203.0.113.9');
    expect(await policyText('old')).toContain('10.77.0.9/32');
    await admin.delete(GOVERNANCE_POLICIES, { namespace, name: 'default' });
  });
});

it('a policy that is deleted or opened by hand is made right at once', async () => {
  await apply('tampered', {});
  await until(
    async () =>
      (await admin.list(PODS, { namespace })).items.some((pod) => pod.metadata.name === 'tampered-pod'),
    'the pod',
  );
  const before = await admin.get<KubeObject & { spec: object }>(NETWORK_POLICIES, {
    namespace,
    name: 'tampered-netpol',
  });
  const key = { namespace, name: 'tampered-netpol' };
  await admin.patch(NETWORK_POLICIES, key, { type: 'merge', body: { spec: { egress: [{}] } } });
  await until(
    async () =>
      JSON.stringify((await admin.get<KubeObject & { spec: object }>(NETWORK_POLICIES, key)).spec) ===
      JSON.stringify(before.spec),
    'the policy to be closed again',
  );
});

it('a deleted policy is back within a second', async () => {
  await apply('bared', {});
  await until(async () => (await policyText('bared')) !== '{}', 'the policy');
  const gaps: number[] = [];
  for (let i = 0; i < 5; i++) gaps.push(await msUntilBack('bared-netpol'));
  // Of five, so that one moment in which this machine stood still does not count.
  expect(gaps.toSorted((a, b) => a - b)[2]).toBeLessThanOrEqual(1_000);
});

/** By the clock of the API server alone, which tells whole seconds: of its answer, and of the new object. */
async function msUntilBack(name: string): Promise<number> {
  const key = { namespace, name };
  const { headers } = await admin.raw({ method: 'DELETE', path: pathOf(NETWORK_POLICIES, key) });
  const deletedAt = Date.parse(String(headers['date']));
  let back: KubeObject | undefined;
  await until(async () => {
    back = await admin.get(NETWORK_POLICIES, key).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return undefined;
    });
    return back !== undefined;
  }, 'the policy');
  return Date.parse(back?.metadata.creationTimestamp ?? '') - deletedAt;
}

it('a sandbox with domains waits for the gateway, then knows its address', async () => {
  const { installNamespace } = SETTINGS;
  await make(NAMESPACES, '', { metadata: { name: installNamespace } }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
  await apply('named', { allowedDomains: ['packages.example'] });
  await until(async () => (await networkReady('named'))?.reason === 'GatewayMissing', 'the condition');
  const key = { namespace, name: 'named-pod' };
  await expect(admin.get(PODS, key)).rejects.toMatchObject({ status: 404 });
  const ports = [{ port: 3128 }];
  await make(SERVICES, installNamespace, { metadata: { name: 'agenttier-gateway' }, spec: { ports } });
  const found = () =>
    admin.get<Pod>(PODS, key).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return undefined;
    });
  await until(async () => (await found()) !== undefined, 'the pod');
  const pod = await admin.get<Pod>(PODS, key);
  const { spec } = await admin.get<Service>(SERVICES, {
    namespace: installNamespace,
    name: 'agenttier-gateway',
  });
  expect(pod.spec.containers[0]?.env).toContainEqual({
    name: 'HTTPS_PROXY',
    value: `http://pod:$(AGENTTIER_POD_UID)@${spec?.clusterIP}:3128`,
  });
  await opens('named', '"app.kubernetes.io/component":"gateway"');
  expect(await policyText('named')).not.toContain('kube-dns');
  await admin.delete(SERVICES, { namespace: installNamespace, name: 'agenttier-gateway' });
});
