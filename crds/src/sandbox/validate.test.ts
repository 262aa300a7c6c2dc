// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EffectiveSpec, Sandbox, SandboxSpec } from '../generated/types.ts';
import { statusOf } from '../meta/violation.ts';
import { resolve } from '../template/merge.ts';
import { validateTemplate } from '../template/validate.ts';
import { validateResolved, validateSandboxShape, validateSandboxUpdate } from './validate.ts';

const sandbox = (spec: SandboxSpec, name = 'dev'): Sandbox => ({ metadata: { name }, spec });
const shape = (spec: SandboxSpec, name?: string): string[] =>
  validateSandboxShape(sandbox(spec, name)).map(({ code, field }) => `${code} ${field}`);

describe('validateSandboxShape', () => {
  it.each<[string, SandboxSpec, string[]]>([
    ['nothing', {}, []],
    ['an image', { image: { repository: 'nginx', tag: '1' } }, []],
    ['no image', { image: { repository: 'Nginx' } }, ['invalid_value spec.image.repository']],
    ['a mount path', { storage: { mountPath: '/home/dev' } }, []],
    ['a mount path like a reserved one', { storage: { mountPath: '/etcetera' } }, []],
    ['/etc', { storage: { mountPath: '/etc' } }, ['invalid_value spec.storage.mountPath']],
    ['//proc/x', { storage: { mountPath: '//proc/x' } }, ['invalid_value spec.storage.mountPath']],
    [
      'the place of the runtime',
      { storage: { mountPath: '/agenttier/bin' } },
      ['invalid_value spec.storage.mountPath'],
    ],
    ['/', { storage: { mountPath: '/' } }, ['invalid_value spec.storage.mountPath']],
    ['a climbing path', { storage: { mountPath: '/a/../b' } }, ['invalid_value spec.storage.mountPath']],
    ['a relative path', { storage: { mountPath: 'a' } }, ['invalid_value spec.storage.mountPath']],
    ['a size of nothing', { storage: { size: '0Gi' } }, ['invalid_value spec.storage.size']],
    [
      'an odd IPv6 range',
      { network: { egressRules: [{ cidr: '1:2:3/64' }] } },
      ['invalid_value spec.network.egressRules[0].cidr'],
    ],
    [
      'a reserved variable',
      { env: [{ name: 'X' }, { name: 'AGENTTIER_TOKEN' }] },
      ['reserved_env spec.env[1].name'],
    ],
    ['a bad duration', { timeout: '1d' }, ['invalid_value spec.timeout']],
    [
      'what nothing acts on',
      { ports: [{ port: 80, public: true }] },
      ['field_not_supported spec.ports[0].public'],
    ],
    ['ports', { ports: [{ port: 80 }, { port: 81, protocol: 'tcp', public: false }] }, []],
    ['the port of the runtime', { ports: [{ port: 9000 }] }, ['invalid_value spec.ports[0].port']],
    [
      'all at once',
      { image: { repository: ':' }, idleTimeout: 'x', env: [{ name: 'agenttier_x' }] },
      [
        'invalid_value spec.image.repository',
        'reserved_env spec.env[0].name',
        'invalid_value spec.idleTimeout',
      ],
    ],
  ])('%s', (_, spec, expected) => {
    expect(shape(spec)).toEqual(expected);
  });

  it.each(['a.b', 'A', 'a'.repeat(64), 'a-'])('the name %s', (name) => {
    expect(shape({}, name)).toEqual(['invalid_value metadata.name']);
  });

  it('does not know the name yet when it is generated', () => {
    expect(validateSandboxShape({ metadata: { generateName: 'x-' } })).toEqual([]);
  });

  it('is a matter of form, not of policy', () => {
    expect(statusOf(validateSandboxShape(sandbox({ timeout: '1d' }, 'A')))).toBe(422);
  });
});

describe('validateTemplate', () => {
  it('judges the fields of a template alike', () => {
    const spec = { storage: { mountPath: '/dev' }, hidden: true, harness: { systemPrompt: { path: '/x' } } };
    expect(validateTemplate({ kind: 'SandboxTemplate', spec }).map(({ field }) => field)).toEqual([
      'spec.harness.systemPrompt.path',
      'spec.hidden',
      'spec.storage.mountPath',
    ]);
  });
});

function resolved(spec: SandboxSpec): string[] {
  return validateResolved(resolve(spec, []).resolved).map(({ code, field }) => `${code} ${field}`);
}

describe('validateResolved', () => {
  const image = { repository: 'nginx' };

  it('wants an image', () => {
    expect(resolved({ image })).toEqual([]);
    expect(resolved({})).toEqual(['image_required spec.image.repository']);
  });

  it('sees requests above limits that come from different layers', () => {
    expect(resolved({ image, resources: { requests: { memory: '8Gi', cpu: '2' } } })).toEqual([
      'invalid_value spec.resources.requests.memory',
    ]);
  });

  it('notices content that its hash does not belong to', () => {
    const sealed = resolve({ image }, []).resolved;
    const spec: EffectiveSpec = { ...sealed.spec, runtimeClass: 'other' };
    expect(validateResolved({ ...sealed, spec })).toMatchObject([
      { code: 'resolved_forged', field: 'spec.resolved' },
    ]);
  });
});

describe('validateSandboxUpdate', () => {
  const old: SandboxSpec = {
    mode: 'code',
    templateRef: { kind: 'SandboxTemplate', name: 'a' },
    storage: { size: '10Gi', storageClass: 'fast', mountPath: '/w' },
    createdBy: { sub: 'alice' },
  };
  const changed = (spec: SandboxSpec): string[] =>
    validateSandboxUpdate(sandbox(old), sandbox({ ...old, ...spec })).map(
      ({ code, field }) => `${code} ${field}`,
    );

  it.each<[string, SandboxSpec, string[]]>([
    ['nothing', {}, []],
    ['what may change', { timeout: '1h', env: [{ name: 'A', value: 'b' }], desiredState: 'Stopped' }, []],
    ['the mode', { mode: 'agent' }, ['immutable_field spec.mode']],
    [
      'the template',
      { templateRef: { kind: 'SandboxTemplate', name: 'b' } },
      ['immutable_field spec.templateRef.name'],
    ],
    ['the kind of the template', { templateRef: { name: 'a' } }, ['immutable_field spec.templateRef.kind']],
    ['the owner', { createdBy: { sub: 'bob' } }, ['immutable_field spec.createdBy']],
    [
      'class and path of the volume',
      { storage: { size: '10Gi' } },
      ['immutable_field spec.storage.storageClass', 'immutable_field spec.storage.mountPath'],
    ],
    ['a larger volume', { storage: { ...old.storage, size: '20Gi' } }, []],
    ['the same size in other words', { storage: { ...old.storage, size: '10240Mi' } }, []],
    ['a smaller volume', { storage: { ...old.storage, size: '5Gi' } }, ['immutable_field spec.storage.size']],
  ])('%s', (_, spec, expected) => {
    expect(changed(spec)).toEqual(expected);
  });

  it('leaves it to the merge to keep a volume whose template was made smaller', () => {
    const before = { resolved: { hash: '', spec: { storage: { size: '20Gi' } } } };
    const after = { resolved: { hash: '', spec: { storage: { size: '10Gi' } } } };
    expect(validateSandboxUpdate(sandbox(before), sandbox(after))).toEqual([]);
    const own = { ...after, storage: { size: '10Gi' } };
    expect(validateSandboxUpdate(sandbox(before), sandbox(own))).toMatchObject([
      { field: 'spec.storage.size', limit: '20Gi', actual: '10Gi' },
    ]);
  });

  it('lets a sandbox without an owner get one', () => {
    expect(validateSandboxUpdate(sandbox({}), sandbox({ createdBy: { sub: 'a' } }))).toEqual([]);
  });
});
