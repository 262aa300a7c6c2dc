// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { DEFAULT_SETTINGS } from '@agenttier/crds/template/merge';
import { describe, expect, it } from 'vitest';
import type { AdmissionRequest } from '../review.ts';
import { cluster, clusterPolicy, local, localPolicy, lookupScene } from '../testing/lookupScene.ts';
import type { LookupScene } from '../testing/lookupScene.ts';
import { validateWarmPools } from './validate.ts';

type Spec = Partial<SandboxWarmPool['spec']>;

const pool = (spec: Spec = {}, name = 'p'): SandboxWarmPool => ({
  metadata: { name, namespace: 'team-a' },
  spec: { templateRef: { name: 'base' }, replicas: 1, ...spec },
});

const BASE = cluster('base', { image: { repository: 'example.test/tools' } });

async function codes(
  object: SandboxWarmPool | null,
  scene: LookupScene = {},
  oldObject: SandboxWarmPool | null = null,
): Promise<string[]> {
  const { lookup } = lookupScene({ stored: [BASE], ...scene });
  const operation = object === null ? 'DELETE' : oldObject === null ? 'CREATE' : 'UPDATE';
  const kind = { group: 'agenttier.io', version: 'v1alpha1', kind: 'SandboxWarmPool' };
  const request: AdmissionRequest = {
    uid: 'u',
    kind,
    operation,
    namespace: 'team-a',
    userInfo: {},
    object,
    oldObject,
  };
  const handler = validateWarmPools({ lookup, settings: DEFAULT_SETTINGS });
  const { violations } = await handler(request, new AbortController().signal);
  return violations.map(({ field, code }) => `${field} ${code}`);
}

const LIMITED = { policies: [localPolicy({ maxMemory: '1Gi' })] };

describe('a warm pool', () => {
  it('is admitted for a template that a sandbox of the namespace could have', async () => {
    expect(await codes(pool())).toEqual([]);
    expect(await codes(pool({ volume: { mode: 'PreBound', size: '2Gi' }, maxAge: '1h' }))).toEqual([]);
  });

  it.each<[string, SandboxWarmPool, LookupScene, string[]]>([
    [
      'no such template',
      pool({ templateRef: { name: 'none' } }),
      {},
      ['spec.templateRef.name template_not_found'],
    ],
    [
      'a template of another namespace',
      pool({ templateRef: { name: 't', namespace: 'team-b', kind: 'SandboxTemplate' } }),
      { stored: [local('t', {}, 'team-b')] },
      ['spec.templateRef template_not_allowed'],
    ],
    [
      'a template that the policy does not allow',
      pool(),
      { policies: [clusterPolicy({ allowedTemplates: ['x'] })] },
      ['spec.templateRef.name template_not_allowed'],
    ],
    ['more than the policy allows', pool(), LIMITED, ['spec.resources.limits.memory memory_limit_exceeded']],
    [
      'a volume larger than the policy allows',
      pool({ volume: { size: '9Gi' } }),
      { policies: [localPolicy({ maxStorage: '5Gi' })] },
      ['spec.storage.size storage_limit_exceeded'],
    ],
    [
      'volumes that come later',
      pool({ volume: { mode: 'None' } }),
      {},
      ['spec.volume.mode field_not_supported'],
    ],
    ['a name that is no label', pool({}, 'a.b'), {}, ['metadata.name invalid_value']],
  ])('is refused with %s', async (_what, object, scene, expected) => {
    expect(await codes(object, scene)).toEqual(expected);
  });

  it('can be scaled and deleted whatever the policy says by now, but not turned to something refused', async () => {
    expect(await codes(pool({ replicas: 7 }), LIMITED, pool())).toEqual([]);
    expect(await codes(null, LIMITED, pool())).toEqual([]);
    expect(await codes(pool(), LIMITED, pool())).toEqual([]);
    expect(await codes(pool({ volume: { size: '1Gi' } }), LIMITED, pool())).toEqual([
      'spec.resources.limits.memory memory_limit_exceeded',
    ]);
  });
});
