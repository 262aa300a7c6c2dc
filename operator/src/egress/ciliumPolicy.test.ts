// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CiliumNetworkPolicy } from '../core.ts';
import { buildNetworkPolicy } from '../sandbox/networkPolicy.ts';
import { SETTINGS } from '../testing/fixtures.ts';
import { buildCiliumPolicy, ciliumPolicyMatches, hasForeignParts } from './ciliumPolicy.ts';

const owner = { namespace: 'team', name: 'one', uid: 'uid-1' };
type Network = NonNullable<EffectiveSpec['network']>;

function build(network: Network, settings = SETTINGS): CiliumNetworkPolicy {
  const facts = { destinations: {}, enforcer: { by: 'cilium' } } as const;
  const { egress = [] } = buildNetworkPolicy(owner, { network }, settings, facts).spec;
  return buildCiliumPolicy(owner, { network }, settings, egress);
}

const golden = (name: string): unknown =>
  parse(readFileSync(join(import.meta.dirname, '../../testdata', `${name}.yaml`), 'utf8'));

describe('golden policies', () => {
  it.each<[string, CiliumNetworkPolicy]>([
    ['cilium-policy-name', build({ allowedDomains: ['packages.example'] })],
    [
      'cilium-policy-full',
      build(
        {
          allowedDomains: ['packages.example', '*.files.example', 'git.example.com:8443', 'git.example.com'],
          egressRules: [{ cidr: '10.20.0.0/16', ports: [{ port: 8443 }] }, { cidr: '192.168.0.0/16' }],
        },
        {
          ...SETTINGS,
          clusterCidrs: ['203.0.113.0/24'],
          egress: { enforcement: 'auto', privateCidrs: ['10.9.0.0/16'] },
        },
      ),
    ],
  ])('%s', (name, policy) => {
    expect(policy).toEqual(golden(name));
  });
});

it('beside it the NetworkPolicy opens neither the gateway nor the name server', () => {
  const network = { allowedDomains: ['packages.example'], egressRules: [{ cidr: '10.20.0.0/16' }] };
  const facts = { destinations: {}, enforcer: { by: 'cilium' } } as const;
  const { egress } = buildNetworkPolicy(owner, { network }, SETTINGS, facts).spec;
  expect(egress).toEqual([{ to: [{ ipBlock: { cidr: '10.20.0.0/16' } }] }]);
});

it('metadata services stay closed, whatever ranges rules and settings open', () => {
  const network = {
    allowedDomains: ['packages.example'],
    egressRules: [{ cidr: '169.254.0.0/16' }, { cidr: 'fd00::/8' }],
  };
  const egress = { enforcement: 'auto', privateCidrs: ['169.254.0.0/16', '100.64.0.0/10'] } as const;
  const [metadata] = build(network, { ...SETTINGS, egress }).spec.egressDeny ?? [];
  expect(metadata).not.toHaveProperty('toPorts');
  expect(metadata?.['toCIDR']).toEqual(
    expect.arrayContaining(['169.254.169.254/32', '168.63.129.16/32', 'fd00:ec2::254/128']),
  );
});

it('no rule has more than forty ports, which is all that Cilium takes', () => {
  const allowedDomains = Array.from({ length: 50 }, (_, i) => `example.com:${1000 + i}`);
  const { egress = [], egressDeny = [] } = build({ allowedDomains }).spec;
  const lists = [...egress, ...egressDeny].flatMap(({ toPorts = [] }) =>
    toPorts.map(({ ports }) => ports.length),
  );
  expect(Math.max(...lists)).toBe(40);
  expect(egressDeny.at(-1)?.toPorts?.flatMap(({ ports }) => ports)).toHaveLength(50);
});

describe('a live policy', () => {
  const desired = build({ allowedDomains: ['packages.example'] });
  const { matchLabels } = desired.spec.endpointSelector;

  it('that is what it should be matches', () => {
    expect(ciliumPolicyMatches(structuredClone(desired), desired)).toBe(true);
  });

  it.each([
    ['other names', { spec: { ...desired.spec, egress: [{ toEntities: ['all'] }] } }, false],
    ['no denial', { spec: { ...desired.spec, egressDeny: [] } }, false],
    ['other labels', { metadata: { ...desired.metadata, labels: {} } }, false],
    ['a rule of its own', { spec: { ...desired.spec, ingress: [{}] } }, true],
    ['more policies', { specs: [{ egress: [{ toEntities: ['all'] }] }] }, true],
    [
      'a narrower selector',
      { spec: { ...desired.spec, endpointSelector: { matchLabels: { ...matchLabels, x: 'y' } } } },
      true,
    ],
    [
      'another selector',
      {
        spec: {
          ...desired.spec,
          endpointSelector: { ...desired.spec.endpointSelector, matchExpressions: [] },
        },
      },
      true,
    ],
  ])('with %s does not, and is made anew where an apply would not do', (_name, change, foreign) => {
    const live = { ...desired, ...change } as CiliumNetworkPolicy;
    expect(ciliumPolicyMatches(live, desired)).toBe(false);
    expect(hasForeignParts(live, desired)).toBe(foreign);
  });
});
