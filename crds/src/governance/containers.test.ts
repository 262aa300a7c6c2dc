// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec, PolicySpec } from '../generated/types.ts';
import type { Violation } from '../meta/violation.ts';
import { effectivePolicy } from './effective.ts';
import { evaluate } from './evaluate.ts';

interface Case {
  readonly name: string;
  readonly cluster?: PolicySpec;
  readonly namespace?: PolicySpec;
  readonly spec: EffectiveSpec;
  readonly expected: readonly Partial<Violation>[];
}

const limits = (cpu: string): EffectiveSpec => ({ resources: { limits: { cpu } } });

describe('containers beside and before the main one', () => {
  const cases: Case[] = [
    {
      name: 'sidecars add to the sandbox',
      cluster: { maxCpu: '2' },
      spec: {
        ...limits('1500m'),
        sidecars: [{ name: 'a', image: 'x', resources: { limits: { cpu: '600m', memory: '1Gi' } } }],
      },
      expected: [{ code: 'cpu_limit_exceeded', actual: '1500m + 600m' }],
    },
    {
      name: 'a sidecar without a limit',
      cluster: { maxCpu: '2' },
      spec: { ...limits('1'), sidecars: [{ name: 'a', image: 'x' }] },
      expected: [
        { code: 'cpu_limit_missing', field: 'spec.sidecars[0].resources.limits.cpu', limit: '2' },
        { code: 'memory_limit_missing', field: 'spec.sidecars[0].resources.limits.memory' },
      ],
    },
    {
      name: 'an init container without a limit where no policy is',
      spec: { initContainers: [{ name: 'a', image: 'x', resources: { limits: { cpu: '1' } } }] },
      expected: [{ code: 'memory_limit_missing', field: 'spec.initContainers[0].resources.limits.memory' }],
    },
    {
      name: 'init containers run alone, before the others',
      cluster: { maxCpu: '2' },
      spec: {
        ...limits('1500m'),
        initContainers: ['a', 'b'].map((name) => ({
          name,
          image: 'x',
          resources: { limits: { cpu: '2', memory: '1Gi' } },
        })),
      },
      expected: [],
    },
    {
      name: 'an init container above',
      cluster: { maxCpu: '2' },
      spec: {
        ...limits('1500m'),
        initContainers: [{ name: 'a', image: 'x', resources: { limits: { cpu: '3', memory: '1Gi' } } }],
      },
      expected: [
        { code: 'cpu_limit_exceeded', field: 'spec.initContainers[0].resources.limits.cpu', actual: '3' },
      ],
    },
    {
      name: 'more sidecars than may be',
      namespace: { maxSidecars: 1 },
      spec: {
        sidecars: ['a', 'b'].map((name) => ({
          name,
          image: 'x',
          resources: { limits: { cpu: '1', memory: '1Gi' } },
        })),
      },
      expected: [
        { code: 'sidecars_exceeded', field: 'spec.sidecars', limit: '1', actual: 2, scope: 'namespace' },
      ],
    },
    {
      name: 'images of all of them are looked at',
      cluster: { approvedRegistries: ['ghcr.io/acme'] },
      spec: {
        sidecars: [
          { name: 'a', image: 'ghcr.io/acme-evil/x', resources: { limits: { cpu: '1', memory: '1Gi' } } },
        ],
        initContainers: [{ name: 'b', image: 'x', resources: { limits: { cpu: '1', memory: '1Gi' } } }],
      },
      expected: [
        { code: 'image_registry_not_approved', field: 'spec.initContainers[0].image' },
        { code: 'image_registry_not_approved', field: 'spec.sidecars[0].image' },
      ],
    },
  ];
  it.each(cases)('$name', ({ cluster, namespace, spec, expected }) => {
    const policy = effectivePolicy(cluster, namespace);
    const resolved = { hash: '', chain: [], spec };
    const { violations } = evaluate({ namespace: 'team-a', spec: {}, resolved, policy });
    expect(violations).toMatchObject(expected);
    expect(violations).toHaveLength(expected.length);
  });
});
