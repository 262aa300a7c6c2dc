// SPDX-License-Identifier: Apache-2.0
import type { TemplateSpec } from '@agenttier/crds/generated/types';
import { DEFAULT_SETTINGS } from '@agenttier/crds/template/merge';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { describe, expect, it } from 'vitest';
import type { AdmissionRequest, Verdict } from '../review.ts';
import { cluster, clusterPolicy, local, localPolicy, lookupScene } from '../testing/lookupScene.ts';
import type { LookupScene } from '../testing/lookupScene.ts';
import { mutateTemplates } from './mutate.ts';
import { validateTemplates } from './validate.ts';

const signal = new AbortController().signal;
type Template = ReturnType<typeof local> | ReturnType<typeof cluster>;

function review(object: Template, old?: Template): AdmissionRequest {
  const { namespace } = object.metadata;
  return {
    uid: 'u',
    kind: { group: 'agenttier.io', version: 'v1alpha1', kind: object.kind ?? '' },
    operation: old ? 'UPDATE' : 'CREATE',
    ...(namespace ? { namespace } : {}),
    name: object.metadata.name ?? '',
    userInfo: {},
    object,
    oldObject: old ?? null,
  };
}

async function judged(object: Template, scene: LookupScene = {}, old?: Template): Promise<Verdict> {
  const { lookup } = lookupScene(scene);
  return validateTemplates({ lookup, settings: DEFAULT_SETTINGS })(review(object, old), signal);
}

async function codes(object: Template, scene: LookupScene = {}, old?: Template): Promise<string[]> {
  return (await judged(object, scene, old)).violations.map((v) => `${v.field} ${v.code}`);
}

const child = (name: string): TemplateSpec => ({ inheritsFrom: { kind: 'ClusterSandboxTemplate', name } });
const open = (name: string): TemplateSpec => ({ inheritsFrom: { name } });
const image = (repository: string): TemplateSpec => ({ image: { repository } });
const added = (value: string): object[] => [{ op: 'add', path: '/spec/inheritsFrom/kind', value }];
const localChild = (name: string): TemplateSpec => ({ inheritsFrom: { kind: 'SandboxTemplate', name } });

describe('the parents of a template', () => {
  it('are found in the namespace and in the cluster', async () => {
    expect(await codes(local('t', child('base')), { stored: [cluster('base')] })).toEqual([]);
    expect(await codes(local('t', localChild('p')), { live: [local('p')] })).toEqual([]);
  });

  it.each([
    ['itself', cluster('t', child('t')), []],
    ['its child', cluster('t', child('a')), [cluster('a', child('t'))]],
    [
      'its grandchild',
      local('t', localChild('b')),
      [local('b', localChild('a')), local('a', localChild('t'))],
    ],
    ['itself without saying the kind', local('t', { inheritsFrom: { name: 't' } }), []],
  ])('must not be %s', async (_what, object, stored) => {
    expect(await codes(object, { stored })).toEqual(['spec.inheritsFrom.name template_cycle']);
  });

  it('must exist', async () => {
    expect(await codes(local('t', child('nobody')))).toEqual(['spec.inheritsFrom.name template_not_found']);
  });

  it('must be ten at most together with it', async () => {
    const stored = Array.from({ length: 10 }, (_, i) => cluster(`t${i}`, i === 0 ? {} : child(`t${i - 1}`)));
    expect(await codes(cluster('t9', child('t8')), { stored }, cluster('t9'))).toEqual([]);
    expect(await codes(cluster('leaf', child('t9')), { stored })).toEqual([
      'spec.inheritsFrom.name template_depth_exceeded',
    ]);
  });

  it('of a cluster template cannot be of a namespace', async () => {
    expect(await codes(cluster('t', localChild('p')), { stored: [local('p')] })).toEqual([
      'spec.inheritsFrom.kind invalid_value',
    ]);
  });

  it('of a cluster template may be meant for some namespaces only', async () => {
    const parent = cluster('p', { allowedNamespaces: { names: ['team-b'] } });
    expect(await codes(cluster('t', child('p')), { stored: [parent] })).toEqual([]);
    expect(await codes(local('t', child('p')), { stored: [parent] })).toEqual([
      'spec.inheritsFrom template_not_allowed',
    ]);
  });

  it('may be gone when something else is edited', async () => {
    const old = local('t', child('gone'));
    expect(await codes(local('t', { ...child('gone'), timeout: '1h' }), {}, old)).toEqual([]);
  });
});

describe('the content of a template', () => {
  it('lists every field that nothing acts on, and every value that is none', async () => {
    const spec = {
      hidden: true,
      storage: { mountPath: 'workspace' },
      env: [{ name: 'AGENTTIER_X', value: '1' }],
    };
    expect(await codes(local('t', spec))).toEqual([
      'spec.hidden field_not_supported',
      'spec.storage.mountPath invalid_value',
      'spec.env[0].name reserved_env',
    ]);
  });

  it('stays editable around what was stored before', async () => {
    expect(
      await codes(local('t', { hidden: true, timeout: '1h' }), {}, local('t', { hidden: true })),
    ).toEqual([]);
  });

  it.each([
    ['of the cluster', [clusterPolicy({ approvedRegistries: ['ghcr.io/acme'] })]],
    ['of the namespace', [localPolicy({ approvedRegistries: ['ghcr.io/acme'] })]],
  ])('has an image that the policy %s approves', async (_what, policies) => {
    expect(await codes(local('t', image('ghcr.io/acme/x')), { policies })).toEqual([]);
    expect(await codes(local('t', image('ghcr.io/acme-evil/x')), { policies })).toEqual([
      'spec.image.repository image_registry_not_approved',
    ]);
    const old = local('t', image('docker.io/x/y'));
    expect(await codes(local('t', { ...image('docker.io/x/y'), timeout: '1h' }), { policies }, old)).toEqual(
      [],
    );
  });

  it('may pass a limit with a warning, since a sandbox can still ask for less', async () => {
    const policies = [clusterPolicy({ maxCpu: '1' })];
    const spec = { image: { repository: 'ghcr.io/acme/x' }, resources: { limits: { cpu: '4' } } };
    const verdict = await judged(cluster('t', spec), { policies });
    expect(verdict.violations).toEqual([]);
    expect(verdict.warnings).toEqual([expect.stringContaining('spec.resources.limits.cpu')]);
  });

  it('cannot be judged without policies', async () => {
    const error = new KubeError({ status: 403, reason: 'Forbidden', message: 'no' });
    expect(await codes(cluster('t'), { current: false, error })).toEqual([
      'metadata.namespace policy_unavailable',
    ]);
  });

  it('does not matter for its metadata and its end', async () => {
    const bad = local('t', { ...child('nobody'), hidden: true });
    expect(await codes({ ...bad, metadata: { ...bad.metadata, labels: { a: 'b' } } }, {}, bad)).toEqual([]);
    const { lookup } = lookupScene({ sandboxes: [] });
    const gone = { ...review(bad), operation: 'DELETE' as const, object: null, oldObject: bad };
    expect(await validateTemplates({ lookup, settings: DEFAULT_SETTINGS })(gone, signal)).toEqual({
      violations: [],
    });
  });
});

describe('mutation', () => {
  const patch = async (object: Template, scene: LookupScene = {}, old?: Template): Promise<unknown> =>
    (await mutateTemplates({ lookup: lookupScene(scene).lookup })(review(object, old), signal)).patch ?? [];

  it.each([
    ['the one of the namespace', local('t', open('p')), [local('p'), cluster('p')], 'SandboxTemplate'],
    ['else the one of the cluster', local('t', open('p')), [cluster('p')], 'ClusterSandboxTemplate'],
    [
      'for the cluster always of the cluster',
      cluster('t', open('p')),
      [local('p'), cluster('p')],
      'ClusterSandboxTemplate',
    ],
  ])('writes the kind of the parent down: %s', async (_what, object, stored, expected) => {
    expect(await patch(object, { stored })).toEqual(added(expected));
  });

  it('keeps the kind that was found before', async () => {
    const old = local('t', child('p'));
    expect(await patch(local('t', open('p')), { stored: [local('p')] }, old)).toEqual(
      added('ClusterSandboxTemplate'),
    );
  });

  it.each([
    ['a kind that is given', local('t', child('p'))],
    ['a parent that does not exist', local('t', open('p'))],
    ['no parent', local('t')],
    ['nonsense', { ...local('t'), spec: { inheritsFrom: 7 } } as unknown as Template],
  ])('leaves alone %s', async (_what, object) => {
    expect(await patch(object)).toEqual([]);
  });
});
