// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { Scenario } from '../testing/scenario.ts';
import { withEnforcer } from './proxy.ts';

const network = { allowedDomains: ['packages.example'] };
const gateway = (address: string) => ({ by: 'gateway', address }) as const;

it('tells every container of the proxy, and keeps what the user set', () => {
  const own = { name: 'no_proxy', value: 'localhost' };
  const pod = {
    containers: [{ name: 'x', image: 'y', env: [own] }],
    initContainers: [{ name: 'z', image: 'y' }],
  };
  const { containers, initContainers = [] } = withEnforcer(pod, gateway('10.96.0.7'));
  const values = (one: (typeof containers)[number] | undefined) =>
    Object.fromEntries((one?.env ?? []).map(({ name, value }) => [name, value]));
  const url = 'http://pod:$(AGENTTIER_POD_UID)@10.96.0.7:3128';
  const all = { HTTPS_PROXY: url, https_proxy: url, HTTP_PROXY: url, http_proxy: url };
  expect(values(containers[0])).toMatchObject({ ...all, no_proxy: 'localhost' });
  expect(values(containers[0])).not.toHaveProperty('NO_PROXY');
  expect(values(initContainers[0])).toMatchObject({ ...all, NO_PROXY: expect.stringContaining('.svc') });
  // The kubelet expands only what stands before.
  expect(containers[0]?.env?.[0]).toEqual({
    name: 'AGENTTIER_POD_UID',
    valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } },
  });
  expect(withEnforcer(pod, undefined)).toBe(pod);
});

it('has programs behind Cilium ask for names as they are written, and knows no proxy there', () => {
  const containers = [{ name: 'x', image: 'y' }];
  expect(withEnforcer({ containers }, { by: 'cilium' })).toEqual({
    containers,
    dnsConfig: { options: [{ name: 'ndots', value: '1' }] },
  });
});

it('writes an IPv6 address as a URL needs it', () => {
  const containers = [{ name: 'x', image: 'y' }];
  const [container] = withEnforcer({ containers }, gateway('fd00::7')).containers;
  expect(container?.env?.find(({ name }) => name === 'https_proxy')?.value).toBe(
    'http://pod:$(AGENTTIER_POD_UID)@[fd00::7]:3128',
  );
});

describe('a sandbox that lists domains', () => {
  let s: Scenario;
  beforeEach(() => {
    s = new Scenario();
  });

  const install = () =>
    s.operator.caches.services.applyWatch({
      metadata: { name: 'agenttier-gateway', namespace: 'agenttier', resourceVersion: '1' },
      spec: { clusterIP: '10.96.0.7' },
    });

  it('waits, closed, for the gateway, and says so', async () => {
    s.apply({ spec: { network } });
    await s.operator.reconcile();
    expect(s.cluster.pod()).toBeUndefined();
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'GatewayMissing' });
    expect(s.condition('NetworkReady')).toMatchObject({ status: 'False', reason: 'GatewayMissing' });
    install();
    await s.operator.reconcile();
    expect(JSON.stringify(s.cluster.pod()?.spec)).toContain('http://pod:$(AGENTTIER_POD_UID)@10.96.0.7:3128');
  });
});
