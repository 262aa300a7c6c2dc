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

const DIGEST = `ghcr.io/acme/tools@sha256:${'a'.repeat(64)}`;

describe('digests and hardening', () => {
  const cases: Case[] = [
    {
      name: 'a tag is no digest',
      cluster: { requireDigest: true },
      spec: { image: { repository: 'ghcr.io/acme/tools', tag: '1' } },
      expected: [{ code: 'image_digest_required', field: 'spec.image.repository', scope: 'cluster' }],
    },
    {
      name: 'a digest is, with or without a tag',
      cluster: { requireDigest: true },
      spec: { image: { repository: DIGEST } },
      expected: [],
    },
    {
      name: 'a digest that is cut short is not',
      cluster: { requireDigest: true },
      spec: { image: { repository: DIGEST.slice(0, -1) } },
      expected: [{ code: 'image_digest_required' }],
    },
    {
      name: 'also for sidecars',
      namespace: { requireDigest: true },
      spec: { image: { repository: DIGEST }, sidecars: [{ name: 'x', image: 'redis:7' }] },
      expected: [{ field: 'spec.sidecars[0].image', actual: 'redis:7', scope: 'namespace' }],
    },
    {
      name: 'the hardening stays without a word of a policy',
      spec: { security: { privileged: true } },
      expected: [{ code: 'security_relaxation_not_allowed', field: 'spec.security.privileged' }],
    },
    {
      name: 'and is relaxed with it',
      cluster: { allowRelaxedSecurity: true },
      spec: { security: { privileged: true } },
      expected: [],
    },
  ];
  it.each(cases)('$name', (row) => {
    const found = judge(row);
    expect(found).toMatchObject(row.expected);
    expect(found).toHaveLength(row.expected.length);
  });
});
