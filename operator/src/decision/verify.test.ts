// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Resolved, Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';
import { effectivePolicy } from '@agenttier/crds/governance/effective';
import type { TemplateLookup, TemplateObject } from '@agenttier/crds/template/compose';
import { DEFAULT_SETTINGS, hashResolved, resolve } from '@agenttier/crds/template/merge';
import { describe, expect, it } from 'vitest';
import { sandbox, template } from '../testing/fixtures.ts';
import { verifyResolved } from './verify.ts';

const ROOT = template(
  { image: { repository: 'example.test/root' }, env: [{ name: 'A', value: '1' }], timeout: '4h' },
  'root',
);
const LEAF = template(
  { image: { tag: '2' }, env: [{ name: 'B', value: '2' }], harness: { shell: '/bin/sh' } },
  'leaf',
);
const CHAIN = [ROOT, LEAF];

const lookupOf =
  (templates: readonly TemplateObject[]): TemplateLookup =>
  (key) =>
    templates.find(({ metadata, kind }) => metadata.name === key.name && kind === key.kind);

const SPEC: SandboxSpec = {
  resources: { limits: { 'nvidia.com/gpu': 1, cpu: '3' } },
  env: [{ name: 'B', value: 'mine' }],
  network: { egressRules: [{ cidr: '10.0.0.0/8', ports: [{ port: 443 }] }] },
};

const genuine = (): Sandbox => sandbox({ spec: SPEC, chain: CHAIN });

/** A resolved spec with another content and a hash that fits it. */
function forged(change: (resolved: Resolved) => Omit<Resolved, 'hash'>): Sandbox {
  const one = genuine();
  const { hash: _, ...content } = change(one.spec?.resolved as Resolved) as Resolved;
  return { ...one, spec: { ...one.spec, resolved: { hash: hashResolved(content), ...content } } };
}

const withSpec = (change: Partial<EffectiveSpec>) =>
  forged((resolved) => ({ ...resolved, spec: { ...resolved.spec, ...change } }));

describe('verifyResolved', () => {
  it('accepts what the merge gives, with templates, overrides, defaults and odd resource names', () => {
    expect(verifyResolved(genuine(), lookupOf(CHAIN))).toMatchObject({ ok: true });
    expect(verifyResolved(genuine(), lookupOf(CHAIN))).not.toHaveProperty('drift');
  });

  it('accepts what the volume decides, but only of a sandbox that has one', () => {
    const settings = { ...DEFAULT_SETTINGS, volume: { size: '50Gi', storageClass: 'fast' } };
    const one = genuine();
    const { resolved } = resolve(one.spec ?? {}, CHAIN, settings);
    const held: Sandbox = { ...one, spec: { ...one.spec, resolved } };
    expect(resolved.spec?.storage).toMatchObject({ size: '50Gi', storageClass: 'fast' });
    expect(verifyResolved({ ...held, status: { pvcName: 'p' } }, lookupOf(CHAIN))).toMatchObject({
      ok: true,
    });
    expect(verifyResolved(held, lookupOf(CHAIN))).toMatchObject({ ok: false, reason: 'Forged' });
  });

  it('accepts a sandbox without a template', () => {
    const bare = sandbox({ spec: { image: { repository: 'example.test/own' } }, chain: [] });
    expect(verifyResolved(bare, lookupOf([]))).toMatchObject({ ok: true });
  });

  it('accepts defaults and limits that have changed since', () => {
    const settings = {
      defaults: { ...DEFAULT_SETTINGS.defaults, storage: { size: '1Gi', mountPath: '/data' } },
      effectivePolicy: effectivePolicy({ maxIdleTimeout: '1h' }, undefined),
    };
    const one = genuine();
    const { resolved } = resolve(one.spec ?? {}, CHAIN, settings);
    expect(resolved.origins?.['idleTimeout']).toBe('policy');
    expect(verifyResolved({ ...one, spec: { ...one.spec, resolved } }, lookupOf(CHAIN))).toMatchObject({
      ok: true,
    });
  });

  it('accepts its own copy when a template is gone', () => {
    expect(verifyResolved(genuine(), lookupOf([ROOT]))).toMatchObject({ ok: true });
  });

  it('answers at once for what it has judged, until the sandbox or a template is another', () => {
    const one = genuine();
    const first = verifyResolved(one, lookupOf(CHAIN));
    expect(verifyResolved(one, lookupOf(CHAIN))).toBe(first);
    const leaf = { ...LEAF, metadata: { ...LEAF.metadata, generation: 2 } };
    expect(verifyResolved(one, lookupOf([ROOT, leaf]))).toHaveProperty('drift');
    expect(verifyResolved(one, lookupOf(CHAIN))).not.toHaveProperty('drift');
    const spec = { ...one.spec, env: [{ name: 'B', value: 'another' }] };
    expect(verifyResolved({ ...one, spec }, lookupOf(CHAIN))).toMatchObject({ ok: false, reason: 'Forged' });
  });

  it.each([
    ['generation', { ...LEAF, metadata: { ...LEAF.metadata, generation: 2 } }],
    ['uid', { ...LEAF, metadata: { ...LEAF.metadata, uid: 'another' } }],
  ])('a template of another %s is drift', (_name, leaf) => {
    const verdict = verifyResolved(genuine(), lookupOf([ROOT, leaf]));
    expect(verdict).toMatchObject({
      ok: true,
      drift: expect.stringContaining('ClusterSandboxTemplate/leaf'),
    });
  });

  it.each<[string, Sandbox]>([
    ['another image', withSpec({ image: { repository: 'evil.test/miner', tag: '2' } })],
    ['an open network', withSpec({ network: { allowInternet: true } })],
    [
      'more memory, said to be a default',
      withSpec({
        resources: { limits: { cpu: '3', memory: '900Gi', 'nvidia.com/gpu': 1, 'amd.com/gpu': 8 } },
      }),
    ],
    ['a longer timeout', withSpec({ timeout: '400h' })],
    ['a variable more', withSpec({ env: [{ name: 'LD_PRELOAD', value: '/x' }] })],
    ['a field left out', withSpec({ harness: {} })],
    [
      'an image that claims to be a default',
      forged((resolved) => ({
        ...resolved,
        spec: { ...resolved.spec, image: { repository: 'evil.test/miner' } },
        origins: { ...resolved.origins, 'image.repository': 'default' },
      })),
    ],
    [
      'a network that claims to be of the policy',
      forged((resolved) => ({
        ...resolved,
        spec: { ...resolved.spec, network: { allowInternet: true } },
        origins: { ...resolved.origins, 'network.allowInternet': 'policy' },
      })),
    ],
  ])('refuses %s', (_name, one) => {
    expect(verifyResolved(one, lookupOf(CHAIN))).toMatchObject({ ok: false, reason: 'Forged' });
  });

  it('refuses a hash that does not fit', () => {
    const one = genuine();
    const resolved = { ...one.spec?.resolved, hash: '0'.repeat(64) } as Resolved;
    expect(verifyResolved({ ...one, spec: { ...one.spec, resolved } }, lookupOf(CHAIN))).toMatchObject({
      reason: 'Forged',
    });
  });

  it.each<[string, TemplateLookup, string]>([
    ['there is none', lookupOf(CHAIN), 'Unresolved'],
    ['the template is not there', lookupOf([]), 'TemplateNotFound'],
    [
      'templates inherit in a circle',
      lookupOf([{ ...LEAF, spec: { inheritsFrom: { name: 'leaf' } } }]),
      'CycleDetected',
    ],
  ])('says why when %s', (_name, lookup, reason) => {
    const one = genuine();
    const { resolved: _, ...spec } = one.spec ?? {};
    expect(verifyResolved({ ...one, spec }, lookup)).toMatchObject({ ok: false, reason });
  });

  it.each([
    ['image.repository', forged((resolved) => ({ ...resolved, spec: {} }))],
    ['timeout', withSpec({ timeout: '1d' })],
    ['credentials[0].secretName', withSpec({ credentials: [{ secretName: 'other-runtime-token' }] })],
  ])('refuses an unusable %s', (field, one) => {
    expect(verifyResolved(one, lookupOf(CHAIN))).toMatchObject({
      reason: 'InvalidSpec',
      message: expect.stringContaining(field),
    });
  });
});
