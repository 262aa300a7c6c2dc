// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { SandboxSpec, TemplateSpec } from '../generated/types.ts';
import { effectivePolicy } from '../governance/effective.ts';
import type { TemplateObject } from './compose.ts';
import { compatHash, DEFAULT_SETTINGS, hashResolved, resolve } from './merge.ts';

const template = (name: string, spec: TemplateSpec): TemplateObject => ({
  kind: 'ClusterSandboxTemplate',
  metadata: { name, uid: `uid-${name}`, generation: 2 },
  spec,
});

const base = template('base', {
  description: 'not merged',
  image: { repository: 'ghcr.io/acme/base', tag: '1', pullSecret: 'ghcr' },
  resources: { limits: { cpu: '1' } },
  env: [{ name: 'FROM', value: 'base' }],
  timeout: '8h',
});
const leaf: TemplateObject = {
  kind: 'SandboxTemplate',
  metadata: { name: 'leaf', namespace: 'team-a' },
  spec: { inheritsFrom: { name: 'base' }, storage: { size: '50Gi' }, env: [{ name: 'LEAF', value: '1' }] },
};

describe('resolve', () => {
  it('gives the defaults to a sandbox that says nothing', () => {
    const { resolved, warnings } = resolve({}, []);
    expect(resolved.spec).toEqual(DEFAULT_SETTINGS.defaults);
    expect(new Set(Object.values(resolved.origins ?? {}))).toEqual(new Set(['default']));
    expect(resolved.chain).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('lays defaults, chain and sandbox over each other and remembers where each field is from', () => {
    const { resolved } = resolve({ env: [{ name: 'FROM', value: 'me' }], timeout: '1h' }, [base, leaf]);
    expect(resolved.spec).toEqual({
      mode: 'code',
      image: { repository: 'ghcr.io/acme/base', tag: '1', pullSecret: 'ghcr' },
      resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '4Gi' } },
      storage: { size: '50Gi', mountPath: '/workspace' },
      network: { allowInternet: false, allowPeerSandboxes: false },
      env: [
        { name: 'FROM', value: 'me' },
        { name: 'LEAF', value: '1' },
      ],
      timeout: '1h',
    });
    expect(resolved.origins).toMatchObject({
      mode: 'default',
      'image.repository': 'ClusterSandboxTemplate/base',
      'resources.limits.cpu': 'ClusterSandboxTemplate/base',
      'resources.limits.memory': 'default',
      'storage.size': 'SandboxTemplate/team-a/leaf',
      'storage.mountPath': 'default',
      'env[FROM]': 'Sandbox',
      'env[LEAF]': 'SandboxTemplate/team-a/leaf',
      timeout: 'Sandbox',
    });
    expect(resolved.chain).toEqual([
      { kind: 'ClusterSandboxTemplate', name: 'base', uid: 'uid-base', generation: 2 },
      { kind: 'SandboxTemplate', namespace: 'team-a', name: 'leaf' },
    ]);
  });

  it('does not take its own result or other fields of the sandbox for input', () => {
    const spec: SandboxSpec = { timeout: '1h', templateRef: { name: 'leaf' } };
    const once = resolve(spec, [base, leaf]).resolved;
    const again = resolve({ ...spec, resolved: once, createdBy: { sub: 'a' }, desiredState: 'Stopped' }, [
      base,
      leaf,
    ]);
    expect(again.resolved).toEqual(once);
  });

  it('has a hash that any change of the content changes', () => {
    const { resolved } = resolve({}, [base]);
    expect(resolved.hash).toBe(hashResolved(resolved));
    expect(resolved.hash).toMatch(/^[0-9a-f]{64}$/);
    for (const other of [
      { ...resolved, spec: { ...resolved.spec, timeout: '9h' } },
      { ...resolved, origins: {} },
      { ...resolved, chain: [] },
      { ...resolved, compat: '' },
    ]) {
      expect(hashResolved(other)).not.toBe(resolved.hash);
    }
  });
});

describe('a pull secret', () => {
  it('stays with its registry', () => {
    const { resolved, warnings } = resolve({ image: { repository: 'ghcr.io/acme/other' } }, [base, leaf]);
    expect(resolved.spec?.image).toEqual({ repository: 'ghcr.io/acme/other', pullSecret: 'ghcr' });
    expect(warnings).toEqual([]);
  });

  it('is not sent to another registry', () => {
    const { resolved, warnings } = resolve({ image: { repository: 'evil.example.com/x' } }, [base, leaf]);
    expect(resolved.spec?.image).toEqual({ repository: 'evil.example.com/x' });
    expect(resolved.origins).not.toHaveProperty('image.pullSecret');
    expect(warnings).toEqual([
      'spec.image.pullSecret of a template is left out: it is for ghcr.io, the image is on evil.example.com',
    ]);
  });

  it('comes back when a later layer returns to the registry', () => {
    const away = template('away', { image: { repository: 'quay.io/x' } });
    const { resolved } = resolve({ image: { repository: 'ghcr.io/y' } }, [base, away]);
    expect(resolved.spec?.image?.pullSecret).toBe('ghcr');
  });

  it('that comes with the image is used', () => {
    const { resolved } = resolve({ image: { repository: 'quay.io/x', pullSecret: 'quay' } }, [base]);
    expect(resolved.spec?.image?.pullSecret).toBe('quay');
  });
});

describe('clamping', () => {
  const settings = {
    ...DEFAULT_SETTINGS,
    effectivePolicy: effectivePolicy({ maxTimeout: '4h' }, { maxIdleTimeout: '30m' }),
  };

  it('gives open times the maximum, with a warning and the policy as origin', () => {
    const { resolved, warnings } = resolve({}, [], settings);
    expect(resolved.spec).toMatchObject({ timeout: '4h', idleTimeout: '30m' });
    expect(resolved.origins).toMatchObject({ timeout: 'policy', idleTimeout: 'policy' });
    expect(warnings).toEqual([
      'spec.timeout was not set and is now 4h, the maximum of the cluster policy',
      'spec.idleTimeout was not set and is now 30m, the maximum of the namespace policy',
    ]);
    expect(warnings.every((warning) => warning.length <= 120)).toBe(true);
  });

  it('takes "0" for no limit', () => {
    const { resolved, warnings } = resolve({ timeout: '0', idleTimeout: '10m' }, [], settings);
    expect(resolved.spec).toMatchObject({ timeout: '4h', idleTimeout: '10m' });
    expect(warnings).toEqual(['spec.timeout was unlimited and is now 4h, the maximum of the cluster policy']);
  });

  it('shortens a default, but no time that somebody chose', () => {
    const defaults = { ...DEFAULT_SETTINGS.defaults, timeout: '24h' };
    expect(resolve({}, [], { ...settings, defaults }).resolved.spec?.timeout).toBe('4h');
    expect(resolve({}, [base], { ...settings, defaults }).resolved.spec?.timeout).toBe('8h');
  });

  it('does nothing without a maximum', () => {
    const { resolved, warnings } = resolve({}, [], {
      ...DEFAULT_SETTINGS,
      effectivePolicy: effectivePolicy(),
    });
    expect(resolved.spec).not.toHaveProperty('timeout');
    expect(warnings).toEqual([]);
  });
});

describe('compatHash', () => {
  const spec = resolve({}, [base]).resolved.spec ?? {};
  it('ignores what is applied to a running pod', () => {
    const late = {
      env: [{ name: 'X', value: 'y' }],
      timeout: '1h',
      idleTimeout: '1m',
    };
    expect(compatHash({ ...spec, ...late, harness: { hooks: { onStart: 'x' } } })).toBe(compatHash(spec));
  });
  it('knows variables from Secrets, and those that scripts have run with', () => {
    const secret = { name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } };
    expect(compatHash({ ...spec, env: [secret] })).not.toBe(compatHash(spec));
    const scripted = { ...spec, initScripts: ['x'] };
    const env = [{ name: 'X', value: 'y' }];
    expect(compatHash({ ...scripted, env })).not.toBe(compatHash(scripted));
  });
  it.each<[string, object]>([
    ['image', { image: { repository: 'x' } }],
    ['resources', { resources: {} }],
    ['storage', { storage: { size: '1Gi' } }],
    ['network', { network: { allowInternet: true } }],
    ['runtime class', { runtimeClass: 'gvisor' }],
    ['program', { harness: { command: ['x'] } }],
    ['shell', { harness: { shell: '/bin/x' } }],
    ['files', { files: [{ path: 'a' }] }],
    ['scripts', { initScripts: ['x'] }],
    ['mode', { mode: 'agent' }],
    ['field that nobody thought of', { newField: 1 }],
  ])('depends on the %s', (_, change) => {
    expect(compatHash({ ...spec, ...change })).not.toBe(compatHash(spec));
  });
});
