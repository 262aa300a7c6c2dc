// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec } from '../generated/types.ts';
import { containerViolations } from './containers.ts';
import { credentialViolations, secretReferences } from './secrets.ts';

type Sidecar = NonNullable<EffectiveSpec['sidecars']>[number];
const sidecar = (more: Partial<Sidecar> = {}): Sidecar => ({
  name: 'proxy',
  image: 'ghcr.io/acme/proxy',
  ...more,
});
const mount = (name: string, mountPath: string, subPath?: string): Partial<Sidecar> => ({
  volumeMounts: [{ name, mountPath, ...(subPath ? { subPath } : {}) }],
});
const found = (spec: EffectiveSpec): string[] => containerViolations(spec).map((v) => `${v.field} ${v.code}`);

describe('sidecars and init containers', () => {
  it.each([
    ['with what they may have', { ...mount('workspace', '/data', 'a/b'), env: [{ name: 'A', value: '1' }] }],
    ['with the shared /tmp', mount('tmp', '/tmp')],
    ['with an empty volume of their own', mount('cache', '/var/cache')],
  ])('%s', (_what, more) => {
    expect(found({ sidecars: [sidecar(more)] })).toEqual([]);
  });

  it.each(['sandbox', 'mem0', 'agenttier-init', 'fix-permissions', 'file-deployer', 'init-scripts'])(
    'cannot be called %s',
    (name) => {
      expect(found({ initContainers: [sidecar({ name })] })).toEqual([
        'spec.initContainers[0].name invalid_value',
      ]);
    },
  );

  it.each([
    ['the volume of the runtime', mount('agenttier-bin', '/x'), 'volumeMounts[0].name'],
    ['the volume of the token', mount('agenttier-run', '/x'), 'volumeMounts[0].name'],
    ['a volume of a credential', mount('credential-0', '/x'), 'volumeMounts[0].name'],
    ['a volume with a long name', mount('v'.repeat(51), '/x'), 'volumeMounts[0].name'],
    ['the root of the image', mount('cache', '/'), 'volumeMounts[0].mountPath'],
    ['the kernel', mount('cache', '/proc/x'), 'volumeMounts[0].mountPath'],
    ['a place that is relative', mount('cache', 'x'), 'volumeMounts[0].mountPath'],
    ['a way out of the volume', mount('workspace', '/x', '../../etc'), 'volumeMounts[0].subPath'],
    ['an image that is none', { image: 'Not An Image' }, 'image'],
    [
      'more than its limit',
      { resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } },
      'resources.requests.cpu',
    ],
  ])('cannot have %s', (_what, more, field) => {
    expect(found({ sidecars: [sidecar(more)] })).toEqual([`spec.sidecars[0].${field} invalid_value`]);
  });

  it('share no name, and set no variable of the platform', () => {
    const spec = {
      initContainers: [sidecar()],
      sidecars: [sidecar({ env: [{ name: 'AGENTTIER_X', value: '' }] })],
    };
    expect(found(spec)).toEqual([
      'spec.sidecars[0].name invalid_value',
      'spec.sidecars[0].env[0].name reserved_env',
    ]);
  });
});

const file = (mountPath?: string, more: object = {}) =>
  ({ secretName: 's', mountAs: 'file', ...(mountPath ? { mountPath } : {}), ...more }) as const;

const valueFrom = (name: string) => ({ secretKeyRef: { name, key: 'k' } });

describe('secrets', () => {
  it('are found wherever their content reaches a process', () => {
    const spec: EffectiveSpec = {
      image: { repository: 'x', pullSecret: 'registry' },
      credentials: [{ secretName: 'a' }, { secretName: 'b', mountAs: 'file', mountPath: '/c' }],
      env: [
        { name: 'P', value: '1' },
        { name: 'V', valueFrom: valueFrom('c') },
      ],
      initContainers: [sidecar({ envFrom: [{ secretRef: { name: 'd' } }, { prefix: 'X_' }] })],
      sidecars: [sidecar({ env: [{ name: 'V', valueFrom: valueFrom('e') }] })],
    };
    expect(secretReferences(spec).map(({ name, field }) => `${name} ${field}`)).toEqual([
      'a spec.credentials[0].secretName',
      'b spec.credentials[1].secretName',
      'c spec.env[1].valueFrom.secretKeyRef.name',
      'd spec.initContainers[0].envFrom[0].secretRef.name',
      'e spec.sidecars[0].env[0].valueFrom.secretKeyRef.name',
    ]);
  });

  it.each([
    ['variables and files', [{ secretName: 's', envPrefix: 'X_' }, file('/secrets/s')], []],
    ['files nowhere', [file()], ['spec.credentials[0].mountPath']],
    ['files over the token', [file('/agenttier/run')], ['spec.credentials[0].mountPath']],
    ['files over the workspace', [file('/workspace/')], ['spec.credentials[0].mountPath']],
    ['two in one directory', [file('/a'), file('/a/')], ['spec.credentials[1].mountPath']],
    ['a prefix for files', [file('/a', { envPrefix: 'X_' })], ['spec.credentials[0].envPrefix']],
  ])('as %s', (_what, credentials, expected) => {
    expect(credentialViolations({ credentials }).map((v) => v.field)).toEqual(expected);
  });
});
