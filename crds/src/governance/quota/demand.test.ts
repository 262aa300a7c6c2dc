// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec } from '../../generated/types.ts';
import { demandOf } from './demand.ts';

const limits = (cpu: string) => ({ resources: { limits: { cpu, memory: '1Gi' } } });
const container = (name: string, cpu: string) => ({ name, image: 'x', ...limits(cpu) });
const cpuOf = (spec: EffectiveSpec): bigint => demandOf({ spec: { resolved: { hash: '', spec } } }).cpu;

describe('what a pod takes', () => {
  it.each<[string, EffectiveSpec, bigint]>([
    ['alone', limits('1'), 1_000n],
    ['with a sidecar', { ...limits('1'), sidecars: [container('a', '500m')] }, 1_500n],
    [
      'with init containers that take less',
      { ...limits('1'), initContainers: [container('a', '800m'), container('b', '900m')] },
      1_000n,
    ],
    [
      'with an init container that takes more',
      { ...limits('1'), initContainers: [container('a', '3')] },
      3_000n,
    ],
  ])('%s', (_what, spec, expected) => {
    expect(cpuOf(spec)).toBe(expected);
  });
});
