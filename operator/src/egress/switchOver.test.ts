// SPDX-License-Identifier: Apache-2.0
import { KubeError } from '@agenttier/machinery/kube/errors';
import { CILIUM_NETWORK_POLICIES, crdName, NETWORK_POLICIES } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CiliumNetworkPolicy } from '../core.ts';
import type { Settings } from '../settings.ts';
import { SETTINGS } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { Replica } from '../testing/replica.ts';
import { Scenario } from '../testing/scenario.ts';
import { hasProxy } from './proxyMark.ts';

const LISTS = { spec: { network: { allowedDomains: ['packages.example'] } } };
const GATEWAY_ONLY: Settings = { ...SETTINGS, egress: { enforcement: 'gateway', privateCidrs: [] } };
const CRD = { metadata: { name: crdName(CILIUM_NETWORK_POLICIES), uid: 'crd', resourceVersion: '1' } };

let s: Scenario;
/** What was open after each change in the cluster. */
let seen: Set<string>;

const textOf = (policy: KubeObject | undefined): string => JSON.stringify(policy ?? {});
const cilium = (): CiliumNetworkPolicy | undefined =>
  s.cluster.objects<CiliumNetworkPolicy>(CILIUM_NETWORK_POLICIES)[0];
const gatewayOpen = (): boolean => textOf(s.cluster.objects(NETWORK_POLICIES)[0]).includes('"gateway"');
const openNow = (): string => [gatewayOpen() && 'gateway', cilium() && 'cilium'].filter(Boolean).join('+');

function withGateway({ caches }: Replica): void {
  caches.services.applyWatch({
    metadata: { name: 'agenttier-gateway', namespace: 'agenttier', resourceVersion: '1' },
    spec: { clusterIP: '10.96.0.7' },
  });
}

function withCilium({ caches }: Replica): void {
  caches.ciliumPolicies.kinds.applyWatch(CRD);
  caches.ciliumPolicies.setAvailable(true);
}

/** An operator that has come up anew, beside what is there. */
async function another(settings: Settings, ...setups: ((replica: Replica) => void)[]): Promise<Replica> {
  const replica = new Replica(s.cluster, { settings });
  for (const setup of setups) setup(replica);
  await replica.reconcile();
  return replica;
}

async function start(...setups: ((replica: Replica) => void)[]): Promise<void> {
  s.apply(LISTS);
  for (const setup of setups) setup(s.operator);
  await s.operator.reconcile();
  s.cluster.setPodStatus(READY_POD);
  await s.operator.reconcile();
  expect(s.status().phase).toBe('Running');
}

beforeEach(() => {
  s = new Scenario();
  seen = new Set();
  s.cluster.subscribe(() => seen.add(openNow()));
});

describe('where Cilium is', () => {
  it('a sandbox has its own policy there, no proxy, and says who enforces', async () => {
    await start(withGateway, withCilium);
    expect(openNow()).toBe('cilium');
    expect(seen).not.toContain('gateway');
    expect(textOf(cilium())).toContain('{"matchName":"packages.example"}');
    expect(hasProxy(s.cluster.pod())).toBe(false);
    expect(s.condition('NetworkReady')).toMatchObject({
      status: 'True',
      message: expect.stringContaining('enforced by a CiliumNetworkPolicy'),
    });
  });

  it('the policy follows the list, and goes with its last name', async () => {
    await start(withCilium);
    const list = async (...allowedDomains: string[]) => {
      s.put({ ...s.cluster.sandbox(), ...resolved(allowedDomains) });
      await s.operator.reconcile();
    };
    await list('example.com');
    expect(textOf(cilium())).toContain('example.com');
    expect(textOf(cilium())).not.toContain('packages.example');
    await list();
    expect(cilium()).toBeUndefined();
  });

  it.each<[string, (live: CiliumNetworkPolicy) => object]>([
    ['opened', ({ spec }) => ({ spec: { ...spec, egress: [{ toEntities: ['all'] }] } })],
    ['extended', ({ spec }) => ({ spec: { ...spec, ingress: [{}] } })],
    ['doubled', () => ({ specs: [{ endpointSelector: {}, egress: [{ toEntities: ['all'] }] }] })],
  ])('a policy that was %s by hand is made right', async (_name, change) => {
    await start(withCilium);
    const before = cilium() as CiliumNetworkPolicy;
    s.cluster.put(CILIUM_NETWORK_POLICIES, { ...before, ...change(before) });
    await s.operator.reconcile();
    expect(cilium()?.spec).toEqual(before.spec);
    expect(cilium()).not.toHaveProperty('specs');
  });

  it('a policy that was deleted by hand is back', async () => {
    await start(withCilium);
    s.cluster.drop(CILIUM_NETWORK_POLICIES, 'team', 'one-netpol');
    await s.operator.reconcile();
    expect(cilium()).toBeDefined();
  });

  it('no pod starts before its policy is accepted', async () => {
    s.apply(LISTS);
    withCilium(s.operator);
    s.cluster.before = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'ciliumnetworkpolicies')
        throw new KubeError({ status: 403, reason: 'Forbidden', message: 'not yours' });
    };
    await s.operator.reconcile();
    expect(s.cluster.pod()).toBeUndefined();
    expect(s.condition('NetworkReady')).toMatchObject({ status: 'False', message: 'not yours' });
  });
});

/** The Sandbox with another list, as admission leaves it. */
function resolved(allowedDomains: readonly string[]): object {
  const other = new Scenario();
  other.apply({ spec: { network: { allowedDomains } } });
  const { spec } = other.cluster.sandbox();
  const { metadata } = s.cluster.sandbox();
  return { spec, metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 } };
}

describe('a change of what enforces opens nothing on its way', () => {
  it('Cilium comes: what runs keeps the gateway, its next start does without', async () => {
    await start(withGateway);
    expect(openNow()).toBe('gateway');
    withCilium(s.operator);
    await s.operator.reconcile();
    expect(openNow()).toBe('gateway');
    s.desire('Stopped');
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    s.desire('Running');
    await s.operator.reconcile();
    expect(openNow()).toBe('cilium');
    expect(hasProxy(s.cluster.pod())).toBe(false);
    expect(seen).not.toContain('gateway+cilium');
  });

  it('Cilium waits while the gateway cannot be closed', async () => {
    await start(withGateway);
    s.cluster.before = ({ verb, resource }) => {
      if (verb === 'apply' && resource === 'networkpolicies')
        throw new KubeError({ status: 403, reason: 'Forbidden', message: 'not now' });
    };
    const forced: Settings = { ...SETTINGS, egress: { enforcement: 'cilium', privateCidrs: [] } };
    const replica = await another(forced, withGateway, withCilium);
    await replica.reconcile();
    expect(openNow()).toBe('gateway');
    s.cluster.before = undefined;
    s.advance(60_000);
    await replica.reconcile();
    expect(openNow()).toBe('cilium');
    expect(seen).not.toContain('gateway+cilium');
  });

  it('the gateway is forced: it opens once the policy is gone', async () => {
    await start(withGateway, withCilium);
    const live = cilium() as CiliumNetworkPolicy;
    const held = { ...live, metadata: { ...live.metadata, finalizers: ['example.test/hold'] } };
    s.cluster.put(CILIUM_NETWORK_POLICIES, held);
    const replica = await another(GATEWAY_ONLY, withGateway, withCilium);
    expect(openNow()).toBe('cilium');
    expect(cilium()?.metadata.deletionTimestamp).toBeDefined();
    expect(s.condition('NetworkReady')).toMatchObject({ status: 'False', reason: 'Applying' });
    s.cluster.drop(CILIUM_NETWORK_POLICIES, 'team', 'one-netpol');
    await replica.reconcile();
    expect(openNow()).toBe('gateway');
    expect(seen).not.toContain('gateway+cilium');
    expect(s.condition('NetworkReady')?.message).toContain('do not know the gateway until a restart');
  });

  it('an operator that has not read the policies yet changes nothing and starts nothing', async () => {
    await start(withGateway, withCilium);
    const before = { open: openNow(), ready: s.condition('NetworkReady'), calls: s.cluster.calls.length };
    await another(GATEWAY_ONLY, withGateway, ({ caches }) => caches.ciliumPolicies.kinds.applyWatch(CRD));
    expect(openNow()).toBe(before.open);
    expect(s.condition('NetworkReady')).toEqual(before.ready);
    expect(s.cluster.calls).toHaveLength(before.calls);
    s = new Scenario();
    s.apply(LISTS);
    withGateway(s.operator);
    s.operator.caches.ciliumPolicies.kinds.applyWatch(CRD);
    await s.operator.reconcile();
    expect(openNow()).toBe('');
    expect(s.cluster.pod()).toBeUndefined();
  });

  it('both go: nothing is open, and the sandbox says so', async () => {
    await start(withGateway);
    await another(SETTINGS);
    expect(openNow()).toBe('');
    expect(s.condition('NetworkReady')).toMatchObject({ status: 'False', reason: 'GatewayMissing' });
  });
});
