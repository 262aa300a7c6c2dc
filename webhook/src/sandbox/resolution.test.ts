// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec, TemplateSpec } from '@agenttier/crds/generated/types';
import { effectivePolicy } from '@agenttier/crds/governance/effective';
import type { Composition, TemplateObject } from '@agenttier/crds/template/compose';
import { DEFAULT_SETTINGS, resolve } from '@agenttier/crds/template/merge';
import { describe, expect, it } from 'vitest';
import { resolveAgain } from './resolution.ts';
import type { Change } from './resolution.ts';
import type { SpecifiedSandbox } from './specified.ts';

const at = (generation: number, spec: TemplateSpec): TemplateObject => ({
  kind: 'ClusterSandboxTemplate',
  metadata: { name: 'base', uid: 'u', generation },
  spec,
});
const first = at(1, { image: { repository: 'r.test/one' }, storage: { size: '20Gi', storageClass: 'fast' } });
const second = at(2, {
  image: { repository: 'r.test/two' },
  storage: { size: '10Gi', storageClass: 'slow' },
});

const found = (template: TemplateObject): Composition => ({ ok: true, chain: [template] });
const gone: Composition = {
  ok: false,
  violation: { code: 'template_not_found', field: 'spec.templateRef.name', message: 'base is gone' },
};

/** A sandbox that was made from the first template, with a volume unless it is said that it has none. */
function made(spec: SandboxSpec, withVolume = true): SpecifiedSandbox {
  return {
    metadata: { name: 'dev', namespace: 'team' },
    spec: { ...spec, resolved: resolve(spec, [first]).resolved },
    ...(withVolume ? { status: { pvcName: 'dev-workspace' } } : {}),
  };
}

function again(
  old: SpecifiedSandbox,
  spec: SandboxSpec,
  how: { readonly reason: Change['reason']; readonly chain: Composition; readonly maxTimeout?: string },
) {
  const { reason, chain, maxTimeout } = how;
  const policy = {
    ok: true,
    sources: [],
    policy: effectivePolicy(maxTimeout === undefined ? {} : { maxTimeout }),
  } as const;
  const sandbox = { ...old, spec: { ...old.spec, ...spec } };
  const resolution = resolveAgain({ sandbox, old, reason }, { chain, policy }, DEFAULT_SETTINGS);
  if (!resolution.ok) throw new Error('expected a resolution');
  const { image, storage, timeout } = resolution.resolved.spec ?? {};
  const { warnings } = resolution;
  return { image: image?.repository, storage, timeout, warnings, resolved: resolution.resolved };
}

describe('templates reach a sandbox', () => {
  it.each<[string, SandboxSpec, Change['reason'], string]>([
    ['at resume', {}, 'resume', 'r.test/two'],
    ['not with an edit', {}, 'edit', 'r.test/one'],
    ['not when it is pinned', { templateUpdatePolicy: 'Pinned' }, 'resume', 'r.test/one'],
    ['at resume after it was unpinned', { templateUpdatePolicy: 'OnResume' }, 'resume', 'r.test/two'],
  ])('%s', (_when, spec, reason, image) => {
    const old = made({ templateUpdatePolicy: 'Pinned' });
    const { templateUpdatePolicy: _, ...rest } = old.spec;
    expect(again({ ...old, spec: rest }, spec, { reason, chain: found(second) }).image).toBe(image);
  });

  it('never when they are gone, and the person is told', () => {
    for (const reason of ['edit', 'resume'] as const) {
      const { image, warnings } = again(made({}), { timeout: '1h' }, { reason, chain: gone });
      expect(image).toBe('r.test/one');
      expect(warnings).toEqual(['base is gone; going on with what was merged earlier']);
    }
  });

  it('keeps the generation that a pinned sandbox was merged from', () => {
    const old = made({ templateUpdatePolicy: 'Pinned' });
    const { resolved } = again(old, { timeout: '1h' }, { reason: 'resume', chain: found(second) });
    expect(resolved.chain).toEqual([
      { kind: 'ClusterSandboxTemplate', name: 'base', uid: 'u', generation: 1 },
    ]);
  });

  it('a policy reaches a pinned sandbox all the same', () => {
    const old = made({ templateUpdatePolicy: 'Pinned' });
    const { timeout } = again(old, {}, { reason: 'resume', chain: found(second), maxTimeout: '8h' });
    expect(timeout).toBe('8h');
  });

  it('what a forged copy says is not built upon', () => {
    const old = made({});
    const resolved = { ...old.spec.resolved, hash: '0'.repeat(64) };
    const { image } = again(
      { ...old, spec: { ...old.spec, resolved } },
      {},
      { reason: 'edit', chain: found(second) },
    );
    expect(image).toBe('r.test/two');
  });
});

describe('a volume', () => {
  it('stays as it was made when its template gets smaller or moves to another class', () => {
    const { storage, warnings, resolved } = again(made({}), {}, { reason: 'resume', chain: found(second) });
    expect(storage).toEqual({ size: '20Gi', storageClass: 'fast', mountPath: '/workspace' });
    expect(resolved.origins).toMatchObject({ 'storage.size': 'volume', 'storage.storageClass': 'volume' });
    expect(warnings).toEqual([
      expect.stringContaining('spec.storage.size is 20Gi'),
      expect.stringContaining('spec.storage.storageClass is fast'),
    ]);
  });

  it('is unchanged by a second resume', () => {
    const old = made({});
    const { resolved } = again(old, {}, { reason: 'resume', chain: found(second) });
    const next = { ...old, spec: { ...old.spec, resolved } };
    expect(again(next, {}, { reason: 'resume', chain: found(second) }).resolved).toEqual(resolved);
    expect(again(next, {}, { reason: 'edit', chain: gone }).resolved).toEqual(resolved);
  });

  it('grows with its template', () => {
    const larger = at(3, { ...first.spec, storage: { size: '40Gi', storageClass: 'fast' } });
    expect(again(made({}), {}, { reason: 'resume', chain: found(larger) }).storage?.size).toBe('40Gi');
  });

  it('holds nothing back while there is none', () => {
    const { storage } = again(made({}, false), {}, { reason: 'resume', chain: found(second) });
    expect(storage).toMatchObject({ size: '10Gi', storageClass: 'slow' });
  });

  it('does not speak for what the sandbox asks for itself, which validation refuses', () => {
    const { storage } = again(
      made({}),
      { storage: { size: '5Gi' } },
      { reason: 'edit', chain: found(first) },
    );
    expect(storage?.size).toBe('5Gi');
  });
});
