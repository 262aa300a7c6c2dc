// SPDX-License-Identifier: Apache-2.0
import type { ObjectMeta, Resolved, SandboxSpec } from '@agenttier/crds/generated/types';
import { ANNOTATION_ADMITTED_AT, ANNOTATION_TRACEPARENT, FINALIZER } from '@agenttier/crds/meta/labels';
import { jsonPatch } from '@agenttier/crds/meta/jsonPatch';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../identity.ts';
import { prepareSandbox, stampSandbox } from './mutate.ts';
import type { Resolution } from './resolution.ts';
import type { SpecifiedSandbox } from './specified.ts';

const sandbox = (spec: SandboxSpec, metadata: ObjectMeta = {}): SpecifiedSandbox => ({
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'Sandbox',
  metadata: { name: 'dev', namespace: 'team-a', ...metadata },
  spec,
});

const alice: Principal = { role: 'person', sub: 'alice', email: 'alice@example.com', groups: [] };
const NOW = 1_000_000;
const ours: Resolved = { hash: 'ours' };
const forged: Resolved = { hash: 'forged' };
const resolution = {
  ok: true,
  resolved: ours,
  policy: {},
  warnings: [],
  templateKind: 'ClusterSandboxTemplate',
} as unknown as Resolution;

function create(incoming: SpecifiedSandbox, now = NOW): SpecifiedSandbox {
  const prepared = prepareSandbox(incoming, undefined);
  return stampSandbox(prepared, { old: undefined, principal: alice, now, resolution });
}

function update(incoming: SpecifiedSandbox, old: SpecifiedSandbox, result?: Resolution): SpecifiedSandbox {
  return stampSandbox(prepareSandbox(incoming, old), { old, principal: alice, now: NOW, resolution: result });
}

describe('a new sandbox', () => {
  it('gets owner, finalizer, time of admission, state, kind and resolved spec', () => {
    const result = create(sandbox({ templateRef: { name: 'base' } }));
    expect(result.spec).toEqual({
      templateRef: { name: 'base', kind: 'ClusterSandboxTemplate' },
      desiredState: 'Running',
      createdBy: { sub: 'alice', email: 'alice@example.com' },
      resolved: ours,
    });
    expect(result.metadata.finalizers).toEqual([FINALIZER]);
    expect(result.metadata.annotations).toEqual({ [ANNOTATION_ADMITTED_AT]: String(NOW) });
  });

  it('loses what it claims about owner, resolved spec and time of admission', () => {
    const claims = { createdBy: { sub: 'mallory', displayName: 'M' }, resolved: forged };
    const result = create(sandbox(claims, { annotations: { [ANNOTATION_ADMITTED_AT]: '5', team: 'a' } }));
    expect(result.spec.createdBy).toEqual({ sub: 'alice', email: 'alice@example.com' });
    expect(result.spec.resolved).toEqual(ours);
    expect(result.metadata.annotations).toEqual({ team: 'a', [ANNOTATION_ADMITTED_AT]: String(NOW) });
  });

  it('gets the identity of what it copies, whatever it claims, and keeps it', () => {
    const prepared = prepareSandbox(sandbox({ cloneFrom: { sandbox: 'source', uid: 'claimed' } }), undefined);
    const input = { old: undefined, principal: alice, now: NOW, resolution };
    const made = stampSandbox(prepared, { ...input, sourceUid: 'true' });
    expect(made.spec.cloneFrom).toEqual({ sandbox: 'source', uid: 'true' });
    expect(stampSandbox(prepared, input).spec.cloneFrom).toEqual({ sandbox: 'source' });
    expect(update(sandbox({ cloneFrom: { sandbox: 'source' } }), made).spec.cloneFrom).toEqual(
      made.spec.cloneFrom,
    );
    const changed = sandbox({ cloneFrom: { sandbox: 'other', uid: 'x' } });
    expect(update(changed, made).spec.cloneFrom).toEqual({ sandbox: 'other', uid: 'x' });
  });

  it('carries no resolved spec when there is none, not even a forged one', () => {
    const prepared = prepareSandbox(sandbox({ resolved: forged }), undefined);
    const failed: Resolution = { ok: false, violations: [] };
    const result = stampSandbox(prepared, { old: undefined, principal: alice, now: NOW, resolution: failed });
    expect(result.spec).not.toHaveProperty('resolved');
  });

  it('changes nothing when called again on its own result', () => {
    const once = create(sandbox({ templateRef: { name: 'base' }, desiredState: 'Stopped' }));
    expect(jsonPatch(once, create(once, NOW + 500))).toEqual([]);
  });

  it('leaves fields of the person and keys it does not know alone', () => {
    const incoming = sandbox({ env: [], timeout: '1h', later: { x: 1 } } as SandboxSpec);
    const paths = jsonPatch(incoming, create(incoming)).map((operation) => operation.path);
    expect(paths.sort()).toEqual([
      '/metadata/annotations',
      '/metadata/finalizers',
      '/spec/createdBy',
      '/spec/desiredState',
      '/spec/resolved',
    ]);
  });

  it('keeps other finalizers', () => {
    const result = create(sandbox({}, { finalizers: ['example.com/hold'] }));
    expect(result.metadata.finalizers).toEqual(['example.com/hold', FINALIZER]);
  });
});

describe('an updated sandbox', () => {
  const old = create(sandbox({ templateRef: { name: 'base' }, timeout: '1h' }));

  it('is untouched when nothing is missing', () => {
    expect(jsonPatch(old, update(old, old))).toEqual([]);
  });

  it('gets back what a replace with the original file leaves out', () => {
    const file = sandbox({ templateRef: { name: 'base' }, timeout: '1h' });
    expect(update(file, old)).toEqual(old);
  });

  it('stays stopped when the file does not say', () => {
    const stopped = { ...old, spec: { ...old.spec, desiredState: 'Stopped' as const } };
    expect(update(sandbox({ timeout: '1h' }), stopped).spec.desiredState).toBe('Stopped');
  });

  it('keeps a changed owner and resolved spec for validation to refuse', () => {
    const changed = { ...old, spec: { ...old.spec, createdBy: { sub: 'mallory' }, resolved: forged } };
    expect(update(changed, old).spec).toMatchObject({ createdBy: { sub: 'mallory' }, resolved: forged });
  });

  it('gets the new resolved spec when there is one', () => {
    const edited = { ...old, spec: { ...old.spec, timeout: '2h', resolved: forged } };
    expect(update(edited, old, resolution).spec.resolved).toEqual(ours);
  });

  it('keeps the old resolved spec when a new one cannot be had', () => {
    const edited = sandbox({ ...old.spec, timeout: '2h' }, old.metadata);
    expect(update(edited, old, { ok: false, violations: [] }).spec.resolved).toEqual(ours);
  });

  it('does not let the time of admission be changed', () => {
    const late = { ...old, metadata: { ...old.metadata, annotations: { [ANNOTATION_ADMITTED_AT]: '7' } } };
    expect(update(late, old).metadata.annotations).toEqual(old.metadata.annotations);
  });

  it('is stamped anew by each way to ask for another start, and by nothing else', () => {
    const earlier = { ...old, metadata: { ...old.metadata, annotations: { [ANNOTATION_ADMITTED_AT]: '7' } } };
    const with_ = (annotations: Record<string, string>, spec: SandboxSpec = {}): SpecifiedSandbox => ({
      ...earlier,
      metadata: { ...earlier.metadata, annotations: { ...earlier.metadata.annotations, ...annotations } },
      spec: { ...earlier.spec, ...spec },
    });
    const stopped = with_({}, { desiredState: 'Stopped' });
    const failed = { ...earlier, status: { phase: 'Error' } } as SpecifiedSandbox;
    const stamp = (incoming: SpecifiedSandbox, before: SpecifiedSandbox): string | undefined =>
      update(incoming, before).metadata.annotations?.[ANNOTATION_ADMITTED_AT];
    const fresh = String(NOW);
    expect(stamp(earlier, stopped)).toBe(fresh);
    expect(stamp(with_({ 'agenttier.io/retry': 'a' }), earlier)).toBe(fresh);
    expect(stamp(with_({ 'agenttier.io/action': 'resume' }), earlier)).toBe(fresh);
    expect(stamp(with_({}, { timeout: '2h' }), failed)).toBe(fresh);
    expect(stamp(stopped, earlier)).toBe('7');
    expect(stamp(with_({ 'agenttier.io/action': 'stop' }), earlier)).toBe('7');
    expect(stamp(with_({}, { timeout: '2h' }), earlier)).toBe('7');
    expect(stamp(earlier, failed)).toBe('7');
    // Asked a second time for the same request, on the first answer: the same.
    const recent = String(NOW - 20);
    expect(stamp(with_({ [ANNOTATION_ADMITTED_AT]: recent }), stopped)).toBe(recent);
  });

  it('keeps the trace of the request for its start, which only another start changes', () => {
    const first = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const second = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
    const own = `00-${'e'.repeat(32)}-${'f'.repeat(16)}-01`;
    const carrying = (value?: string, spec: SandboxSpec = {}): SpecifiedSandbox => ({
      ...old,
      metadata: {
        ...old.metadata,
        annotations: value === undefined ? {} : { [ANNOTATION_TRACEPARENT]: value },
      },
      spec: { ...old.spec, ...spec },
    });
    const trace = (incoming: SpecifiedSandbox, before?: SpecifiedSandbox): string | undefined => {
      const input = { old: before, principal: alice, now: NOW, resolution: undefined, current: own };
      return stampSandbox(prepareSandbox(incoming, before), input).metadata.annotations?.[
        ANNOTATION_TRACEPARENT
      ];
    };
    const stopped = carrying(first, { desiredState: 'Stopped' });
    expect(trace(carrying(first))).toBe(first);
    expect(trace(carrying())).toBe(own);
    expect(trace(carrying('rubbish'))).toBe(own);
    expect(trace(carrying(second), carrying(first))).toBe(first);
    expect(trace(carrying(), carrying(first))).toBe(first);
    expect(trace(carrying(second), stopped)).toBe(second);
    expect(trace(carrying(first), stopped)).toBe(own);
  });

  it('does not take the kind over to another template', () => {
    expect(update(sandbox({ templateRef: { name: 'other' } }), old).spec.templateRef).toEqual({
      name: 'other',
    });
  });
});
