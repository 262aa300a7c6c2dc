// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Pod } from '../core.ts';
import { enforcedBy, enforcerOf } from './enforcer.ts';
import type { EnforcerInput } from './enforcer.ts';
import { withEnforcer } from './proxy.ts';

const ADDRESS = '10.96.0.7';
const gateway = { by: 'gateway', address: ADDRESS } as const;
const service = (clusterIP: string) => ({ metadata: { name: 'agenttier-gateway' }, spec: { clusterIP } });
const containers = [{ name: 'sandbox', image: 'x' }];
const bare: Pod = { metadata: { name: 'one-pod' }, spec: { containers } };
const proxied: Pod = { ...bare, spec: withEnforcer(bare.spec, gateway) };

const enforcer = (input: Partial<EnforcerInput>) =>
  enforcerOf({
    spec: { network: { allowedDomains: ['packages.example'] } },
    enforcement: 'auto',
    service: service(ADDRESS),
    cilium: 'absent',
    bound: false,
    pod: undefined,
    ...input,
  });

describe('who holds a sandbox to its names', () => {
  it.each<[string, Partial<EnforcerInput>]>([
    ['lists none', { spec: {} }],
    [
      'has everything open',
      { spec: { network: { allowedDomains: ['packages.example'], allowInternet: true } } },
    ],
  ])('nobody where it %s', (_name, input) => {
    expect(enforcer(input)).toBeUndefined();
  });

  it.each<[string, Partial<EnforcerInput>, string]>([
    ['no Cilium', {}, 'gateway'],
    ['Cilium', { cilium: 'ready' }, 'cilium'],
    ['Cilium, no gateway', { cilium: 'ready', service: undefined }, 'cilium'],
    ['Cilium, started with the gateway', { cilium: 'ready', pod: proxied }, 'gateway'],
    [
      'Cilium, started with a gateway that is gone',
      { cilium: 'ready', pod: proxied, service: undefined },
      'cilium',
    ],
    ['Cilium, started without either', { cilium: 'ready', pod: bare }, 'cilium'],
    [
      'Cilium went, its policy is not gone',
      { cilium: 'ready', bound: true, enforcement: 'gateway' },
      'handover',
    ],
    ['Cilium not read', { cilium: 'pending' }, 'unknown'],
    ['Cilium not read, the gateway forced', { cilium: 'pending', enforcement: 'gateway' }, 'unknown'],
    ['the gateway forced', { cilium: 'ready', enforcement: 'gateway' }, 'gateway'],
    ['Cilium forced', { cilium: 'ready', enforcement: 'cilium', pod: proxied }, 'cilium'],
  ])('%s', (_name, input, by) => {
    expect(enforcer(input)?.by).toBe(by);
  });

  it.each<[string, Partial<EnforcerInput>, string, RegExp]>([
    [
      'neither',
      { service: undefined },
      'GatewayMissing',
      /no Service agenttier-gateway .* no CiliumNetworkPolicy$/,
    ],
    ['a headless gateway', { service: service('None') }, 'GatewayMissing', /no Service/],
    [
      'the gateway forced',
      { service: undefined, cilium: 'ready', enforcement: 'gateway' },
      'GatewayMissing',
      /gateway.enabled\)$/,
    ],
    ['Cilium forced', { enforcement: 'cilium' }, 'DomainsNotEnforced', /egress.enforcement/],
  ])('nobody, and why: %s', (_name, input, reason, message) => {
    expect(enforcer(input)).toEqual({ by: 'none', reason, message: expect.stringMatching(message) });
  });
});

it.each([
  [undefined, bare, ''],
  [gateway, proxied, '; domains are enforced by the egress gateway'],
  [
    gateway,
    bare,
    '; domains are enforced by the egress gateway, and its programs do not know the gateway until a restart',
  ],
  [{ by: 'cilium' } as const, bare, '; domains are enforced by a CiliumNetworkPolicy'],
  [
    { by: 'cilium' } as const,
    proxied,
    '; domains are enforced by a CiliumNetworkPolicy, and its programs still ask the gateway until a restart',
  ],
])('enforcedBy %#', (by, pod, text) => {
  expect(enforcedBy(by, pod)).toBe(text);
});
