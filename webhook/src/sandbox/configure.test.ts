// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';
import { actorDigest } from '@agenttier/crds/sandbox/agentConfig';
import { DEFAULT_SETTINGS } from '@agenttier/crds/template/merge';
import { applyPatch } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import type { AdmissionRequest, UserInfo } from '../review.ts';
import { cluster, clusterPolicy, localPolicy, lookupScene } from '../testing/lookupScene.ts';
import type { LookupScene } from '../testing/lookupScene.ts';
import { mutateSandboxes, validateSandboxes } from './handler.ts';

const ann: UserInfo = { username: 'agenttier:ann', groups: ['agenttier:users'] };
const bob: UserInfo = { username: 'agenttier:bob', groups: ['agenttier:users'] };
const kubectl: UserInfo = { username: 'dev@cluster', groups: ['system:authenticated'] };

const agent = cluster('agent', {
  mode: 'agent',
  image: { repository: 'ghcr.io/acme/agent' },
  harness: { agent: { entrypoint: ['run'] } },
});
const plain = cluster('plain', { image: { repository: 'ghcr.io/acme/agent' } });

const signal = new AbortController().signal;

interface Case {
  readonly user?: UserInfo;
  readonly old?: Sandbox;
  readonly scene?: LookupScene;
  /** Past the mutation: what is sent is what is judged. */
  readonly raw?: boolean;
}

async function send(object: Sandbox, { user = ann, old, scene, raw }: Case = {}) {
  const { lookup } = lookupScene({ stored: [agent, plain], live: [agent, plain], ...scene });
  const options = { lookup, settings: DEFAULT_SETTINGS, operatorUsername: 'operator', now: () => 1_000 };
  const request: AdmissionRequest = {
    uid: 'u',
    kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'Sandbox' },
    operation: old ? 'UPDATE' : 'CREATE',
    namespace: 'team-a',
    name: 'one',
    userInfo: user,
    object,
    oldObject: old ?? null,
  };
  const result = structuredClone(object);
  if (raw !== true) {
    const { patch = [] } = await mutateSandboxes(options)(request, signal);
    for (const error of applyPatch(result, structuredClone(patch) as never)) if (error) throw error;
  }
  const verdict = await validateSandboxes(options)({ ...request, object: result }, signal);
  return { result, verdict, found: verdict.violations.map(({ code, field }) => `${code} ${field}`) };
}

const sandbox = (spec: SandboxSpec = {}): Sandbox => ({
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'Sandbox',
  metadata: { name: 'one', namespace: 'team-a' },
  spec: { templateRef: { name: 'agent' }, ...spec },
});
const configured = (old: Sandbox, agentConfig: NonNullable<SandboxSpec['agentConfig']>): Sandbox => ({
  ...old,
  spec: { ...old.spec, agentConfig },
});
const made = async (spec?: SandboxSpec, user = ann): Promise<Sandbox> =>
  (await send(sandbox(spec), { user })).result;

const CONFIG = { entrypoint: ['python', 'agent.py'] };

describe('an agent template', () => {
  it('makes an agent of a sandbox that says nothing of a mode', async () => {
    const { result, found } = await send(sandbox());
    expect(found).toEqual([]);
    expect(result.spec?.resolved).toMatchObject({
      spec: { mode: 'agent', harness: { agent: { entrypoint: ['run'] } } },
      origins: { mode: 'ClusterSandboxTemplate/agent' },
    });
  });

  it('is one for life, although its template becomes something else', async () => {
    const old = { ...(await made()), spec: { ...(await made()).spec, desiredState: 'Stopped' as const } };
    const changed = {
      ...agent,
      metadata: { ...agent.metadata, generation: 2 },
      spec: { ...agent.spec, mode: 'code' as const },
    };
    const next = { ...old, spec: { ...old.spec, desiredState: 'Running' as const } };
    const { result, found, verdict } = await send(next, {
      old,
      scene: { stored: [changed], live: [changed] },
    });
    expect(found).toEqual([]);
    expect(verdict.warnings).toEqual([]);
    expect(result.spec?.resolved).toMatchObject({ spec: { mode: 'agent' }, origins: { mode: 'creation' } });
  });
});

describe('configuring', () => {
  it('writes down who did it, and keeps that while nothing else is configured', async () => {
    const old = await made();
    const { result, found } = await send(configured(old, CONFIG), { old, user: ann });
    expect([found, result.spec?.agentConfig?.configuredBy]).toEqual([[], actorDigest('ann')]);
    const edited = { ...result, spec: { ...result.spec, timeout: '1h', agentConfig: CONFIG } };
    const later = await send(edited, { old: result, user: ann });
    expect([later.found, later.result.spec?.agentConfig]).toEqual([[], result.spec?.agentConfig]);
    const byCluster = await send(configured(result, { entrypoint: ['other'] }), {
      old: result,
      user: kubectl,
    });
    expect([byCluster.found, byCluster.result.spec?.agentConfig?.configuredBy]).toEqual([
      [],
      actorDigest('dev@cluster'),
    ]);
  });

  it('under another name is refused past the mutation', async () => {
    const forged = configured(await made(), { ...CONFIG, configuredBy: actorDigest('bob') });
    const { found } = await send(forged, { old: await made(), raw: true });
    expect(found).toContain('owner_forged spec.agentConfig.configuredBy');
  });

  it('is for the owner, collaborators and whom RBAC lets in', async () => {
    const old = await made();
    expect((await send(configured(old, CONFIG), { old, user: bob })).found).toEqual([
      'not_owner spec.agentConfig',
    ]);
    for (const level of ['viewer', 'collaborator'] as const) {
      const shared = await made({ sharing: { users: [{ identity: 'bob', level }] } });
      const { found } = await send(configured(shared, CONFIG), { old: shared, user: bob });
      expect(found, level).toEqual(level === 'viewer' ? ['not_owner spec.agentConfig'] : []);
    }
  });

  it('is not what forwarding a port is, which collaborators may also do, and no viewer', async () => {
    const ports = { ports: [{ port: 3000 }] };
    for (const level of ['viewer', 'collaborator'] as const) {
      const shared = await made({ sharing: { users: [{ identity: 'bob', level }] } });
      const next = { ...shared, spec: { ...shared.spec, ...ports } };
      const { found } = await send(next, { old: shared, user: bob });
      expect(found, level).toEqual(level === 'viewer' ? ['not_owner spec.ports'] : []);
    }
  });

  it.each([
    [
      'a sandbox for code',
      { templateRef: { name: 'plain' }, agentConfig: CONFIG },
      ['invalid_value spec.agentConfig'],
    ],
    [
      'a file outside of the volume',
      { agentConfig: { files: [{ path: '/etc/x', size: 1, sha256: 'a'.repeat(64) }] } },
      ['invalid_value spec.agentConfig.files[0].path'],
    ],
    [
      'a file that is too large',
      { agentConfig: { files: [{ path: '/workspace/x', size: 2 ** 26, sha256: 'a'.repeat(64) }] } },
      ['agent_files_exceeded spec.agentConfig.files[0].size'],
    ],
  ])('refuses %s at creation', async (_what, spec, expected) => {
    expect((await send(sandbox(spec))).found).toEqual(expected);
  });

  it.each([
    [
      'agent images',
      clusterPolicy({ allowedAgentImages: ['quay.io'] }),
      'agent_image_not_approved spec.image.repository',
    ],
    [
      'registries',
      localPolicy({ approvedRegistries: ['quay.io'] }),
      'image_registry_not_approved spec.image.repository',
    ],
    [
      'templates',
      clusterPolicy({ allowedTemplates: ['plain'] }),
      'template_not_allowed spec.templateRef.name',
    ],
  ])('asks the policy of now about %s, which other edits do not', async (_what, policy, expected) => {
    const old = await made();
    const scene = { policies: [policy] };
    expect((await send({ ...old, spec: { ...old.spec, timeout: '1h' } }, { old, scene })).found).toEqual([]);
    for (const user of [ann, kubectl]) {
      expect((await send(configured(old, CONFIG), { old, scene, user })).found).toEqual([expected]);
    }
  });

  it('is bounded by the policy, with a warning', async () => {
    const policy = clusterPolicy({ maxConcurrentInvokesPerSandbox: 2 });
    const { result } = await send(sandbox(), { scene: { policies: [policy] } });
    expect(result.spec?.resolved?.spec?.harness?.agent).toEqual({
      entrypoint: ['run'],
      maxConcurrentInvokes: 2,
    });
  });
});
