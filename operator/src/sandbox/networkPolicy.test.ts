// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EgressRule, IpBlock } from '../core.ts';
import { SETTINGS } from '../testing/fixtures.ts';
import type { EffectiveNetwork } from './effective.ts';
import { buildNetworkPolicy, networkPolicyMatches } from './networkPolicy.ts';

const owner = { namespace: 'team', name: 'one', uid: '0d9c' };
const build = (network: EffectiveNetwork) => buildNetworkPolicy(owner, { network }, SETTINGS);

/** The opened address ranges, beside DNS. */
function blocks(network: EffectiveNetwork): IpBlock[] {
  const rules: readonly EgressRule[] = build(network).spec.egress?.slice(1) ?? [];
  return rules.flatMap(({ to = [] }) => to.flatMap(({ ipBlock }) => ipBlock ?? []));
}

describe('egress', () => {
  it.each([
    ['one address of the metadata service', '169.254.169.254/32', []],
    ['its IPv6 form', 'fd00:ec2::254/128', []],
    ['a range around it', '169.254.169.0/24', [{ cidr: '169.254.169.0/24', except: ['169.254.169.254/32'] }]],
    ['an unrelated range', '10.0.0.0/8', [{ cidr: '10.0.0.0/8' }]],
    ['no range at all', '10.0.0.0/99', []],
  ])('%s', (_name, cidr, expected) => {
    expect(blocks({ egressRules: [{ cidr }] })).toEqual(expected);
  });

  it('never reaches a metadata service, not even through everything', () => {
    const [v4, v6] = blocks({ egressRules: [{ cidr: '0.0.0.0/0' }, { cidr: '::/0' }] });
    expect(v4?.except).toEqual(expect.arrayContaining(['169.254.169.254/32', '168.63.129.16/32']));
    expect(v6?.except).toContain('fd00:ec2::254/128');
  });

  it('evaluates every part: the internet does not hide the rest', () => {
    const network = { allowInternet: true, egressRules: [{ cidr: '10.0.0.0/8' }], allowPeerSandboxes: true };
    const { egress = [], ingress = [] } = build({ ...network, ingressRules: [{ cidr: '10.2.0.0/16' }] }).spec;
    expect([egress.length, ingress.length]).toEqual([4, 3]);
  });

  it('a rule is never sent without its peer, which would open everything', () => {
    const every = build({ allowInternet: true, egressRules: [{ cidr: 'x' }, {}], ingressRules: [{}] }).spec;
    for (const rule of every.egress ?? []) expect(rule.to?.length).toBeGreaterThan(0);
    for (const rule of every.ingress ?? []) expect(rule.from?.length).toBeGreaterThan(0);
  });

  it('peers are sandboxes whatever the selector says', () => {
    const selector = { matchLabels: { 'agenttier.io/managed': 'false' }, matchExpressions: [] };
    const rule = build({ allowPeerSandboxes: true, peerSandboxSelector: selector }).spec.egress?.at(-1);
    expect(rule).toEqual({ to: [{ podSelector: { matchLabels: { 'agenttier.io/managed': 'true' } } }] });
  });
});

describe('names through the gateway', () => {
  const gateway = {
    to: [
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'agenttier' } },
        podSelector: {
          matchLabels: {
            'app.kubernetes.io/name': 'agenttier',
            'app.kubernetes.io/component': 'gateway',
          },
        },
      },
    ],
    ports: [{ protocol: 'TCP', port: 3128 }],
  };
  const allowedDomains = ['example.com'];
  const hasDns = (network: EffectiveNetwork): boolean =>
    JSON.stringify(build(network).spec.egress).includes('kube-dns');

  it('open the way to the gateway, and nothing else: not even to a name server', () => {
    expect(build({ allowedDomains }).spec.egress).toEqual([gateway]);
  });

  it.each<[string, EffectiveNetwork]>([
    ['an egress rule', { allowedDomains, egressRules: [{ cidr: '10.1.0.0/16' }] }],
    ['peers', { allowedDomains, allowPeerSandboxes: true }],
  ])('leave the name server open for %s', (_name, network) => {
    expect(build(network).spec.egress).toContainEqual(gateway);
    expect(hasDns(network)).toBe(true);
  });

  it('are no way to the gateway where no name is listed', () => {
    for (const network of [{}, { allowedDomains: [] }, { allowInternet: true }]) {
      expect(build(network).spec.egress).not.toContainEqual(gateway);
      expect(hasDns(network)).toBe(true);
    }
  });
});

describe('networkPolicyMatches', () => {
  const desired = build({});
  it.each([
    ['itself', {}, true],
    ['one without the empty list that the server drops', { ingress: undefined }, false],
    ['one with another rule', { egress: [...(desired.spec.egress ?? []), {}] }, false],
    ['one for other pods', { podSelector: {} }, false],
    ['one for one direction', { policyTypes: ['Egress'] }, false],
  ])('%s', (_name, change, expected) => {
    expect(networkPolicyMatches({ ...desired, spec: { ...desired.spec, ...change } as never }, desired)).toBe(
      expected,
    );
  });
});
