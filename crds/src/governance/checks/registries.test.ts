// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec } from '../../generated/types.ts';
import type { Violation } from '../../meta/violation.ts';
import { effectivePolicy } from '../effective.ts';
import { checkRegistries } from './registries.ts';

function judge(approvedRegistries: readonly string[], spec: EffectiveSpec): Violation[] {
  const policy = effectivePolicy({ approvedRegistries });
  return checkRegistries({ namespace: 'a', spec: {}, resolved: { hash: '', spec }, policy });
}

function at(repository: string, tag?: string): EffectiveSpec {
  return { image: { repository, ...(tag === undefined ? {} : { tag }) } };
}

describe('registries', () => {
  it.each<[string, EffectiveSpec, boolean]>([
    ['ghcr.io', at('ghcr.io/acme/tools'), true],
    ['ghcr.io/acme', at('ghcr.io/acme/tools:1'), true],
    ['ghcr.io/acme/', at('ghcr.io/acme/tools'), true],
    ['ghcr.io/acme', at('ghcr.io/acme'), true],
    ['ghcr.io/acme', at('ghcr.io/acme-evil/tools'), false],
    ['ghcr.io/acme', at('ghcr.io.evil.com/acme/tools'), false],
    ['ghcr.io', at('ghcr.io.evil.com/acme/tools'), false],
    ['ghcr.io/acme', at('evil.com/ghcr.io/acme/tools'), false],
    ['ghcr.io/acme', at('acme/tools'), false],
    ['docker.io', at('nginx'), true],
    ['docker.io/library', at('nginx'), true],
    ['docker.io/library', at('acme/nginx'), false],
    ['index.docker.io', at('nginx'), true],
    ['nginx', at('nginx:1.27'), true],
    ['nginx', at('docker.io/library/nginx'), true],
    ['nginx', at('nginx/evil'), false],
    ['acme/', at('acme/tools'), true],
    ['acme/tools', at('acme/tools'), true],
    ['acme/tools', at('acme/tools-evil'), false],
    ['localhost:5000', at('localhost:5000/x'), true],
    ['localhost:5000', at('localhost:5001/x'), false],
    ['localhost', at('localhost/x'), true],
    ['ghcr.io/acme/tools:1', at('ghcr.io/acme/tools', '1'), true],
    ['ghcr.io/acme/tools:1', at('ghcr.io/acme/tools:2'), false],
    ['ghcr.io/acme/tools:latest', at('ghcr.io/acme/tools'), true],
    ['ghcr.io/acme:1', at('ghcr.io/acme/tools:1'), false],
    [`ghcr.io/acme/tools:1`, at(`ghcr.io/acme/tools:1@sha256:${'0'.repeat(64)}`), false],
    ['*', at('quay.io/x'), true],
    ['ghcr.io/*/tools', at('ghcr.io/acme/tools'), true],
    ['ghcr.io/*/tools', at('ghcr.io/acme/other'), false],
    ['ghcr.io/*/tools', at('ghcr.io/a/b/tools'), false],
    ['*/acme', at('quay.io/acme/x'), true],
    ['*/acme', at('quay.io/evil/x'), false],
    ['ghcr.io', at('not an image'), false],
  ])('%s and %j: %s', (entry, spec, admitted) => {
    const found = judge([entry], spec);
    expect(found).toMatchObject(
      admitted ? [] : [{ code: 'image_registry_not_approved', field: 'spec.image.repository' }],
    );
    expect(found).toHaveLength(admitted ? 0 : 1);
  });

  it('one entry is enough', () => {
    expect(judge(['quay.io', 'ghcr.io'], at('ghcr.io/x'))).toEqual([]);
  });

  it('also holds for sidecars and init containers', () => {
    const spec = {
      ...at('ghcr.io/x'),
      sidecars: [
        { name: 'ok', image: 'ghcr.io/y' },
        { name: 'bad', image: 'redis' },
      ],
      initContainers: [{ name: 'bad', image: 'busybox' }],
    };
    const found = judge(['ghcr.io'], spec);
    expect(found.map(({ field, actual }) => [field, actual])).toEqual([
      ['spec.initContainers[0].image', 'busybox'],
      ['spec.sidecars[1].image', 'redis'],
    ]);
  });
});
