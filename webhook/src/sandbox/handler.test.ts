// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { ObjectMeta, Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { DEFAULT_SETTINGS } from '@agenttier/crds/template/merge';
import { applyPatch } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import { answer } from '../review.ts';
import type { AdmissionRequest, Operation, UserInfo, Verdict } from '../review.ts';
import { cluster, clusterPolicy, local, localPolicy, lookupScene } from '../testing/lookupScene.ts';
import type { LookupScene } from '../testing/lookupScene.ts';
import { mutateSandboxes, validateSandboxes } from './handler.ts';

const OPERATOR = 'system:serviceaccount:agenttier:agenttier-operator';
const alice: UserInfo = { username: 'agenttier:alice', groups: ['agenttier:users'] };
const bob: UserInfo = { username: 'agenttier:bob', groups: ['agenttier:users'] };
const admin: UserInfo = { username: 'agenttier:root', groups: ['agenttier:users', 'agenttier:admins'] };
const kubectl: UserInfo = { username: 'kubernetes-admin', groups: ['system:masters'] };
const operator: UserInfo = { username: OPERATOR };

const base = cluster('base', { image: { repository: 'ghcr.io/acme/base' } });

interface Case {
  readonly scene?: LookupScene;
  readonly user?: UserInfo;
  readonly old?: Sandbox;
  readonly defaultTemplate?: { readonly name: string };
}

const sandbox = (spec: SandboxSpec, metadata: ObjectMeta = {}): Sandbox => ({
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'Sandbox',
  metadata: { name: 'dev', namespace: 'team-a', ...metadata },
  spec,
});

function review(operation: Operation, object: unknown, { user = alice, old }: Case): AdmissionRequest {
  return {
    uid: 'u',
    kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'Sandbox' },
    operation,
    namespace: 'team-a',
    name: 'dev',
    userInfo: user,
    object,
    oldObject: old ?? null,
  };
}

function handlers(from: Case) {
  const { lookup, asked } = lookupScene({ stored: [base], live: [base], ...from.scene });
  const options = {
    lookup,
    settings: DEFAULT_SETTINGS,
    operatorUsername: OPERATOR,
    now: () => 1_000,
    defaultTemplate: from.defaultTemplate,
  };
  return { mutate: mutateSandboxes(options), validate: validateSandboxes(options), asked };
}

const signal = new AbortController().signal;

async function mutated(object: unknown, from: Case = {}): Promise<{ result: Sandbox; verdict: Verdict }> {
  const request = review(from.old ? 'UPDATE' : 'CREATE', object, from);
  const verdict = await handlers(from).mutate(request, signal);
  const { response } = answer(request, verdict);
  const result = structuredClone(object) as Sandbox;
  const patch = response.patch ? JSON.parse(Buffer.from(response.patch, 'base64').toString('utf8')) : [];
  for (const error of applyPatch(result, patch)) if (error) throw error;
  return { result, verdict };
}

async function validated(object: unknown, from: Case = {}): Promise<string[]> {
  const request = review(from.old ? 'UPDATE' : 'CREATE', object, from);
  const { violations } = await handlers(from).validate(request, signal);
  return violations.map((v) => `${v.field} ${v.code}`);
}

/** What the API server does: mutate, then validate the result. */
async function admitted(object: unknown, from: Case = {}): Promise<string[]> {
  return validated((await mutated(object, from)).result, from);
}

const image = (object: Sandbox): unknown => object.spec?.resolved?.spec?.image?.repository;

const fine = (more: SandboxSpec = {}): SandboxSpec => ({ templateRef: { name: 'base' }, ...more });

async function stored(spec: SandboxSpec = fine(), from: Case = {}): Promise<Sandbox> {
  return (await mutated(sandbox(spec), from)).result;
}

const edit = (object: Sandbox, spec: SandboxSpec): Sandbox => ({
  ...object,
  spec: { ...object.spec, ...spec },
});

describe('create', () => {
  it('is admitted after mutation, and mutation of its result changes nothing', async () => {
    const { result } = await mutated(sandbox(fine()));
    expect(await validated(result)).toEqual([]);
    expect((await mutated(result)).verdict.patch).toEqual([]);
  });

  it('uses the default template where one is set', async () => {
    const { result } = await mutated(sandbox({}), { defaultTemplate: { name: 'base' } });
    expect(result.spec?.templateRef).toEqual({ name: 'base', kind: 'ClusterSandboxTemplate' });
    expect(await validated(result)).toEqual([]);
  });

  it('says all that is wrong at once: shape, template, support and policy', async () => {
    const policies = [clusterPolicy({ maxCpu: '2', maxMemory: '1Gi' })];
    const spec = fine({
      resources: { limits: { cpu: '8', memory: '2Gi' } },
      storage: { mountPath: '/etc/x', existingClaim: 'x' },
    });
    expect(await admitted(sandbox(spec), { scene: { policies } })).toEqual([
      'spec.storage.existingClaim field_not_supported',
      'spec.storage.mountPath invalid_value',
      'spec.resources.limits.cpu cpu_limit_exceeded',
      'spec.resources.limits.memory memory_limit_exceeded',
    ]);
    expect(await admitted(sandbox({ templateRef: { name: 'bsae' }, timeout: '1d' }))).toEqual([
      'spec.timeout invalid_value',
      'spec.templateRef.name template_not_found',
    ]);
  });

  it('needs an image from somewhere', async () => {
    expect(await admitted(sandbox({}))).toEqual(['spec.image.repository image_required']);
  });

  it.each([
    ['nothing at all', {}],
    ['forged', { resolved: { hash: 'f'.repeat(64) } }],
  ])('without the mutating webhook is refused: %s', async (_what, more) => {
    const object = sandbox(fine({ ...more, createdBy: { sub: 'alice' } }));
    expect(await validated(object)).toEqual(['spec.resolved resolved_forged']);
  });

  it('with a right hash over other content is refused', async () => {
    const { result } = await mutated(sandbox(fine()));
    const resolved = result.spec?.resolved ?? { hash: '' };
    const forged = edit(result, {
      resolved: { ...resolved, spec: { ...resolved.spec, runtimeClass: 'none' } },
    });
    expect(await validated(forged)).toEqual(['spec.resolved resolved_forged']);
  });

  it('for somebody else is refused', async () => {
    const { result } = await mutated(sandbox(fine()));
    expect(await validated(edit(result, { createdBy: { sub: 'bob' } }))).toEqual([
      'spec.createdBy owner_forged',
    ]);
  });

  it('looks again, live, before it calls a merge forged that used a newer template', async () => {
    const newer = cluster('base', { image: { repository: 'ghcr.io/acme/newer' } });
    const { result } = await mutated(sandbox(fine()), { scene: { stored: [newer] } });
    expect(await validated(result, { scene: { live: [newer] } })).toEqual([]);
  });

  it('says to try again when the template changed in between', async () => {
    const object = (await mutated(sandbox(fine()))).result;
    const changed = { ...base, metadata: { ...base.metadata, generation: 2 } };
    const { validate } = handlers({ scene: { stored: [changed], live: [changed] } });
    const { violations } = await validate(review('CREATE', object, {}), signal);
    expect(violations[0]).toMatchObject({
      code: 'resolved_forged',
      message: expect.stringContaining('try again'),
    });
  });

  it('is refused while policies cannot be read', async () => {
    const error = new KubeError({ status: 403, reason: 'Forbidden', message: 'no' });
    const scene = { current: false, error };
    const templateRef = { kind: 'ClusterSandboxTemplate', name: 'base' } as const;
    const object = sandbox({ templateRef });
    expect(await admitted(object, { scene })).toEqual(['metadata.namespace policy_unavailable']);
  });

  it('clamps an open time with a warning, and tells auditors by which policy', async () => {
    const scene = { policies: [localPolicy({ maxTimeout: '8h' })] };
    const { result, verdict } = await mutated(sandbox(fine()), { scene });
    expect(verdict.warnings).toEqual([expect.stringContaining('spec.timeout')]);
    const { audit } = await handlers({ scene }).validate(review('CREATE', result, {}), signal);
    expect(audit).toEqual({ policy: 'GovernancePolicy/default@9' });
  });

  it.each([
    ['no spec', { metadata: { name: 'x' } }],
    ['spec is text', { metadata: { name: 'x' }, spec: 'x' }],
    ['no metadata', { spec: {} }],
    ['null', null],
    ['lists for objects', { metadata: {}, spec: { templateRef: [], resources: [], env: {}, storage: [] } }],
    ['a reference without a name', { metadata: {}, spec: { templateRef: { kind: 'SandboxTemplate' } } }],
    ['null members', { metadata: {}, spec: { env: [null], templateRef: null, image: null } }],
  ])('mutation survives what the schema will refuse: %s', async (_what, object) => {
    const { mutate } = handlers({});
    await expect(mutate(review('CREATE', object, {}), signal)).resolves.toMatchObject({ violations: [] });
  });
});

describe('update', () => {
  it('asks nobody when only metadata changes', async () => {
    const old = await stored();
    const object = { ...old, metadata: { ...old.metadata, labels: { a: 'b' } } };
    const { validate, mutate, asked } = handlers({ scene: { stored: [], current: false } });
    const request = review('UPDATE', object, { user: operator, old });
    expect((await mutate(request, signal)).patch ?? []).toEqual([]);
    expect((await validate(request, signal)).violations).toEqual([]);
    expect(asked).toEqual([]);
  });

  it.each([
    ['the owner', alice, []],
    ['an administrator', admin, []],
    ['a cluster user', kubectl, []],
    ['another person', bob, ['spec.desiredState not_owner']],
    ['the operator', operator, ['spec not_owner']],
  ])('of the spec by %s', async (_who, user, expected) => {
    const old = await stored();
    expect(await admitted(edit(old, { desiredState: 'Stopped' }), { user, old })).toEqual(expected);
  });

  it('of metadata by another person is refused, since a retry is asked for there', async () => {
    const old = await stored();
    const object = { ...old, metadata: { ...old.metadata, annotations: { 'agenttier.io/retry': '1' } } };
    expect(await admitted(object, { user: bob, old })).toEqual(['metadata not_owner']);
  });

  it('judges only what it changes', async () => {
    const old = await stored(fine({ resources: { limits: { cpu: '8' } }, sharing: { users: [] } }));
    const scene = { policies: [clusterPolicy({ maxCpu: '2', maxMemory: '1Gi' })] };
    const env = [{ name: 'A', value: 'b' }];
    expect(await admitted(edit(old, { env }), { scene, old })).toEqual([]);
    const limits = { cpu: '6' };
    expect(await admitted(edit(old, { resources: { limits } }), { scene, old })).toEqual([
      'spec.resources.limits.cpu cpu_limit_exceeded',
    ]);
  });

  it('stops what today could not be created, and does not resume it', async () => {
    const old = await stored(fine({ resources: { limits: { cpu: '8' } } }));
    const scene = { policies: [clusterPolicy({ maxCpu: '2' })] };
    const stopped = edit(old, { desiredState: 'Stopped' });
    expect(await admitted(stopped, { scene, old })).toEqual([]);
    expect(await admitted(old, { scene, old: stopped })).toEqual([
      'spec.resources.limits.cpu cpu_limit_exceeded',
    ]);
  });

  it('takes up a changed template at resume, not before', async () => {
    const old = await stored();
    const scene = { stored: [cluster('base', { image: { repository: 'ghcr.io/acme/next' } })] };
    const stopped = (await mutated(edit(old, { desiredState: 'Stopped' }), { scene, old })).result;
    expect(image(stopped)).toBe('ghcr.io/acme/base');
    const resumed = (await mutated(edit(stopped, { desiredState: 'Running' }), { scene, old: stopped }))
      .result;
    expect(image(resumed)).toBe('ghcr.io/acme/next');
    expect(await validated(resumed, { scene, old: stopped })).toEqual([]);
  });

  it('can be resumed and edited when the template is gone, with a warning', async () => {
    const old = await stored(fine({ desiredState: 'Stopped', image: { repository: 'ghcr.io/acme/own' } }));
    const scene = { stored: [], live: [] };
    const running = edit(old, { desiredState: 'Running' });
    const { result, verdict } = await mutated(running, { scene, old });
    expect(result.spec?.resolved).toEqual(old.spec?.resolved);
    expect(verdict.warnings).toEqual([expect.stringContaining('base')]);
    expect(await validated(result, { scene, old })).toEqual([]);
    const { image: _own, ...spec } = { ...result.spec, timeout: '1h' };
    const edited = (await mutated({ ...result, spec }, { scene, old: result })).result;
    expect(edited.spec?.resolved?.spec).toMatchObject({ timeout: '1h' });
    expect(image(edited), 'what the template said is known although it is gone').toBe('ghcr.io/acme/base');
    expect(await validated(edited, { scene, old: result })).toEqual([]);
  });

  it.each([
    ['a forged resolved spec', { resolved: { hash: 'f' } }, ['spec.resolved resolved_forged']],
    ['another owner', { createdBy: { sub: 'bob' } }, ['spec.createdBy immutable_field']],
    ['another mode', { mode: 'agent' as const }, ['spec.mode immutable_field']],
  ])('refuses %s', async (_what, spec, expected) => {
    const old = await stored();
    expect(await admitted(edit(old, spec), { old })).toEqual(expected);
  });

  it('replaces a forged resolved spec that comes with an edit', async () => {
    const old = await stored();
    const { result } = await mutated(edit(old, { timeout: '1h', resolved: { hash: 'f' } }), { old });
    expect(await validated(result, { old })).toEqual([]);
  });

  it('of an object on its way out is not held up by anything', async () => {
    const leaving = { deletionTimestamp: '2026-11-24T00:00:00Z', finalizers: [] };
    const old = await stored();
    const object = { ...old, metadata: { ...old.metadata, ...leaving } };
    const { verdict } = await mutated(object, { old, user: kubectl });
    expect(verdict.patch ?? []).toEqual([]);
    expect(await validated(object, { old, scene: { stored: [], live: [] }, user: kubectl })).toEqual([]);
  });

  it('of an object from before the webhook leaves it as it is while its spec is not touched', async () => {
    const old = sandbox({
      templateRef: { name: 'nobody', kind: 'SandboxTemplate' },
      desiredState: 'Running',
    });
    const object = { ...old, metadata: { ...old.metadata, labels: { a: 'b' } } };
    expect(await admitted(object, { old, user: kubectl })).toEqual([]);
  });
});

describe('delete', () => {
  it.each([
    ['the owner', alice, 0],
    ['an administrator', admin, 0],
    ['the garbage collector', { username: 'system:serviceaccount:kube-system:generic-garbage-collector' }, 0],
    ['another person', bob, 1],
  ])('by %s', async (_who, user, expected) => {
    const old = await stored();
    const { violations } = await handlers({}).validate(review('DELETE', null, { user, old }), signal);
    expect(violations).toHaveLength(expected);
  });
});

describe('a chain', () => {
  it('is merged root first with the sandbox on top, each field with its origin', async () => {
    const leaf = local('leaf', {
      inheritsFrom: { kind: 'ClusterSandboxTemplate', name: 'base' },
      timeout: '2h',
    });
    const { result } = await mutated(sandbox({ templateRef: { name: 'leaf' }, storage: { size: '3Gi' } }), {
      scene: { stored: [base, leaf] },
    });
    expect(result.spec?.resolved?.origins).toMatchObject({
      'image.repository': 'ClusterSandboxTemplate/base',
      timeout: 'SandboxTemplate/team-a/leaf',
      'storage.size': 'Sandbox',
      'resources.limits.cpu': 'default',
    });
  });
});
