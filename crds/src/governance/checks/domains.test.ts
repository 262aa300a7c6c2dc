// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec, PolicySpec } from '../../generated/types.ts';
import type { Violation } from '../../meta/violation.ts';
import { effectivePolicy } from '../effective.ts';
import { evaluate } from '../evaluate.ts';

interface Case {
  readonly name: string;
  readonly cluster?: PolicySpec;
  readonly namespace?: PolicySpec;
  readonly spec: EffectiveSpec;
  readonly expected: readonly Partial<Violation>[];
}

function judge({ cluster, namespace, spec }: Case): readonly Violation[] {
  const policy = effectivePolicy(cluster, namespace);
  return evaluate({ namespace: 'team-a', spec: {}, resolved: { hash: '', spec }, policy }).violations;
}

describe('domains', () => {
  const cluster = { allowInternet: false };
  const cases: Case[] = [
    {
      name: 'a domain, where the internet is closed',
      cluster,
      spec: { network: { allowedDomains: ['packages.example'] } },
      expected: [{ code: 'network_not_allowed', field: 'spec.network.allowedDomains[0]', limit: 'false' }],
    },
    {
      name: 'a listed domain, where the internet is closed otherwise',
      cluster: { ...cluster, allowedDomains: ['*.files.example', 'packages.example'] },
      spec: { network: { allowedDomains: ['packages.example', 'mirror.files.example'] } },
      expected: [],
    },
    {
      name: 'domains that one of two policies does not list',
      cluster: { allowedDomains: ['*.example.com'] },
      namespace: { allowedDomains: ['api.example.com'] },
      spec: { network: { allowedDomains: ['api.example.com', '*.example.com'] } },
      expected: [
        { code: 'network_not_allowed', field: 'spec.network.allowedDomains[1]', scope: 'namespace' },
      ],
    },
    {
      name: 'a listed name, on a port that is not',
      cluster: { allowedDomains: ['packages.example'] },
      spec: { network: { allowedDomains: ['packages.example:22'] } },
      expected: [{ code: 'network_not_allowed', limit: 'packages.example', actual: 'packages.example:22' }],
    },
  ];
  it.each(cases)('$name', (row) => {
    const found = judge(row);
    expect(found).toMatchObject(row.expected);
    expect(found).toHaveLength(row.expected.length);
  });
});
