// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec, PolicySpec } from '../generated/types.ts';
import { resolve, resolveOver } from '../template/merge.ts';
import { effectivePolicy } from './effective.ts';
import { evaluate } from './evaluate.ts';

const agent = (spec: EffectiveSpec = {}) =>
  ({ mode: 'agent', image: { repository: 'ghcr.io/acme/agent' }, ...spec }) as const;

describe('allowedAgentImages', () => {
  const cases: [string, EffectiveSpec, PolicySpec, PolicySpec | undefined, string[]][] = [
    ['a listed image', agent(), { allowedAgentImages: ['ghcr.io/acme/agent'] }, undefined, []],
    ['no list', agent(), {}, undefined, []],
    [
      'another image',
      agent(),
      { allowedAgentImages: ['ghcr.io/acme/age'] },
      undefined,
      ['agent_image_not_approved spec.image.repository cluster'],
    ],
    [
      'a sandbox for code',
      { ...agent(), mode: 'code' },
      { allowedAgentImages: ['none.test'] },
      undefined,
      [],
    ],
    [
      'a sidecar',
      agent({ sidecars: [{ name: 's', image: 'quay.io/x', resources: { limits: { cpu: 1, memory: 1 } } }] }),
      { allowedAgentImages: ['ghcr.io'] },
      undefined,
      ['agent_image_not_approved spec.sidecars[0].image cluster'],
    ],
    [
      'both lists of both policies',
      agent(),
      { allowedAgentImages: ['quay.io'], approvedRegistries: ['ghcr.io'] },
      { allowedAgentImages: ['docker.io'] },
      [
        'agent_image_not_approved spec.image.repository cluster',
        'agent_image_not_approved spec.image.repository namespace',
      ],
    ],
  ];
  it.each(cases)('%s', (_what, spec, cluster, namespace, expected) => {
    const policy = effectivePolicy(cluster, namespace);
    const { violations } = evaluate({ namespace: 'a', spec: {}, resolved: { hash: '', spec }, policy });
    expect(violations.map(({ code, field, scope }) => `${code} ${field} ${scope}`)).toEqual(expected);
  });
});

describe('what one agent may do at once, and for how long', () => {
  const template = (block: object) => ({
    kind: 'ClusterSandboxTemplate' as const,
    metadata: { name: 't', uid: 'u', generation: 1 },
    spec: { ...agent(), harness: { agent: { entrypoint: ['x'], ...block } } },
  });
  const merged = (block: object, policy: PolicySpec, namespace?: PolicySpec) =>
    resolve({}, [template(block)], { effectivePolicy: effectivePolicy(policy, namespace) });

  it.each<[object, PolicySpec, unknown, unknown, number]>([
    [{}, {}, undefined, undefined, 0],
    [{}, { maxConcurrentInvokesPerSandbox: 2, maxInvokeTimeout: '10m' }, 2, '10m', 2],
    [{ maxConcurrentInvokes: 0 }, { maxConcurrentInvokesPerSandbox: 2 }, 2, undefined, 1],
    [{ maxConcurrentInvokes: 1 }, { maxConcurrentInvokesPerSandbox: 2 }, 1, undefined, 0],
    [{ maxConcurrentInvokes: 9 }, { maxConcurrentInvokesPerSandbox: 2 }, 2, undefined, 1],
    [{}, { maxInvokeTimeout: '1h' }, undefined, undefined, 0],
    [{ defaultInvokeTimeout: '2h' }, { maxInvokeTimeout: '1h' }, undefined, '1h', 1],
    [{ defaultInvokeTimeout: '5m' }, { maxInvokeTimeout: '1h' }, undefined, '5m', 0],
    [{ defaultInvokeTimeout: '0' }, { maxInvokeTimeout: '10m' }, undefined, '10m', 1],
  ])('%j under %j', (block, policy, most, time, warnings) => {
    const { resolved, warnings: said } = merged(block, policy);
    const { maxConcurrentInvokes, defaultInvokeTimeout } = resolved.spec?.harness?.agent ?? {};
    expect([maxConcurrentInvokes, defaultInvokeTimeout, said.length]).toEqual([most, time, warnings]);
  });

  it('is that of the namespace where it is tighter, and comes back with the policy', () => {
    const { resolved } = merged(
      { maxConcurrentInvokes: 9 },
      { maxConcurrentInvokesPerSandbox: 4 },
      { maxConcurrentInvokesPerSandbox: 3 },
    );
    expect(resolved.spec?.harness?.agent?.maxConcurrentInvokes).toBe(3);
    expect(resolved.origins).toMatchObject({ 'harness.agent.maxConcurrentInvokes': 'policy' });
    const later = resolveOver(resolved, {}, {}).resolved.spec?.harness?.agent;
    expect(later).toEqual({ entrypoint: ['x'], maxConcurrentInvokes: 9 });
  });

  it('does not concern a sandbox for code', () => {
    const policy = effectivePolicy({ maxConcurrentInvokesPerSandbox: 1 });
    const spec = { mode: 'code' as const, image: { repository: 'x' } };
    expect(resolve(spec, [], { effectivePolicy: policy }).resolved.spec?.harness).toBeUndefined();
  });
});

describe('the mode', () => {
  const chain = (mode: 'agent' | 'code') => [
    {
      kind: 'ClusterSandboxTemplate' as const,
      metadata: { name: 't', uid: 'u' },
      spec: { ...agent(), mode },
    },
  ];
  it('comes from the templates and stays what it was when they change', () => {
    expect(resolve({}, chain('agent')).resolved.spec?.mode).toBe('agent');
    const { resolved, warnings } = resolve({}, chain('code'), { mode: 'agent' });
    expect([resolved.spec?.mode, resolved.origins?.['mode'], warnings.length]).toEqual([
      'agent',
      'creation',
      1,
    ]);
  });
});
