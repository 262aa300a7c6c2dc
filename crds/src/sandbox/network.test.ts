// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec } from '../generated/types.ts';
import { effectiveViolations } from './effective.ts';
import { networkViolations } from './network.ts';

const fields = (network: EffectiveSpec['network']): string[] =>
  networkViolations({ network: network ?? {} }).map(({ field }) => field);

describe('rules that name a Service', () => {
  const serviceRef = { name: 'db' };
  it.each<[string, EffectiveSpec['network'], string[]]>([
    ['a Service alone', { egressRules: [{ serviceRef }], ingressRules: [{ serviceRef }] }, []],
    ['a port of the Service', { egressRules: [{ serviceRef: { name: 'db', port: 5432 } }] }, []],
    ['own ports for callers', { ingressRules: [{ serviceRef, ports: [{ port: 8080 }] }] }, []],
    [
      'two peers in one rule',
      { egressRules: [{ serviceRef, cidr: '10.0.0.0/8' }] },
      ['spec.network.egressRules[0].cidr'],
    ],
    [
      'ports beside a Service',
      { egressRules: [{ serviceRef, ports: [{ port: 1 }] }] },
      ['spec.network.egressRules[0].ports'],
    ],
    [
      "the caller's port",
      { ingressRules: [{ serviceRef: { name: 'db', port: 1 } }] },
      ['spec.network.ingressRules[0].serviceRef.port'],
    ],
  ])('%s', (_name, network, expected) => {
    expect(fields(network)).toEqual(expected);
  });
});

describe('allowedDomains', () => {
  it('names each entry that is no domain', () => {
    expect(
      fields({ allowedDomains: ['packages.example', '*.example.com:8443', '10.0.0.1', 'https://x.y'] }),
    ).toEqual(['spec.network.allowedDomains[2]', 'spec.network.allowedDomains[3]']);
  });

  it.each([
    [true, ['packages.example'], 1],
    [true, [], 0],
    [false, ['packages.example'], 0],
  ])('beside allowInternet %s', (allowInternet, allowedDomains, count) => {
    const found = effectiveViolations({
      image: { repository: 'x' },
      network: { allowInternet, allowedDomains },
    });
    expect(found).toHaveLength(count);
  });
});
