// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, SandboxSpec } from '@agenttier/crds/generated/types';
import { effectivePolicy } from '@agenttier/crds/governance/effective';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { describe, expect, it } from 'vitest';
import { principalOf } from '../identity.ts';
import type { UserInfo } from '../review.ts';
import { createGrants } from './grants.ts';
import type { SpecifiedSandbox } from './specified.ts';

const cluster: UserInfo = { username: 'tina', uid: '7', groups: ['dev'], extra: { scopes: ['x'] } };
const person: UserInfo = { username: 'agenttier:ann', groups: ['agenttier:users'] };

interface Scene {
  readonly user?: UserInfo;
  readonly labels?: Record<string, Record<string, string>>;
  readonly readable?: boolean;
  readonly listed?: readonly string[];
  readonly old?: SandboxSpec;
  readonly fault?: KubeError;
}

const withSpec = (spec: SandboxSpec): SpecifiedSandbox => ({ metadata: { name: 'dev' }, spec });

async function judge(spec: EffectiveSpec, scene: Scene = {}): Promise<{ found: string[]; asked: unknown[] }> {
  const { user = cluster, labels = {}, readable = false, listed = [], old, fault } = scene;
  const asked: unknown[] = [];
  const client = {
    raw: (request: { path: string; headers?: object }) => {
      asked.push(request.path);
      expect(request.headers).toEqual({ accept: expect.stringContaining('PartialObjectMetadata') });
      const found = labels[request.path.split('/').at(-1) ?? ''];
      const gone = new KubeError({ status: 404, reason: 'NotFound', message: 'gone' });
      if (fault) return Promise.reject(fault);
      return found ? Promise.resolve({ body: { metadata: { labels: found } } }) : Promise.reject(gone);
    },
    create: (_resource: unknown, _namespace: unknown, body: { spec: unknown }) => {
      asked.push(body.spec);
      return Promise.resolve({ status: { allowed: readable } });
    },
  } as unknown as KubeClient;
  const violations = await createGrants(client).judge(
    {
      namespace: 'team',
      sandbox: withSpec({ env: [] }),
      old: old && withSpec(old),
      spec,
      policy: effectivePolicy({ allowedSecrets: [...listed] }),
      principal: principalOf(user, 'sa:operator'),
      userInfo: user,
    },
    new AbortController().signal,
  );
  return { found: violations.map((v) => `${v.actual} ${v.code}`), asked };
}

const LLM: EffectiveSpec = { credentials: [{ secretName: 'llm' }] };
const PATH = '/api/v1/namespaces/team/secrets/llm';
const REFUSED = ['llm secret_not_allowed'];

describe('a Secret that a sandbox is to get', () => {
  it('is asked about as the person who acts', async () => {
    const { found, asked } = await judge(LLM, { readable: true });
    expect(found).toEqual([]);
    expect(asked).toEqual([
      PATH,
      {
        user: 'tina',
        uid: '7',
        groups: ['dev'],
        extra: { scopes: ['x'] },
        resourceAttributes: {
          namespace: 'team',
          verb: 'get',
          group: '',
          version: 'v1',
          resource: 'secrets',
          name: 'llm',
        },
      },
    ]);
    expect((await judge(LLM)).found).toEqual(REFUSED);
  });

  it('goes by label or policy for people behind the router', async () => {
    const behind = { user: person, readable: true };
    expect(await judge(LLM, behind)).toEqual({ found: REFUSED, asked: [PATH] });
    const labels = { llm: { 'agenttier.io/sandbox-credential': 'true' } };
    expect(await judge(LLM, { ...behind, labels })).toEqual({ found: [], asked: [PATH] });
    expect(await judge(LLM, { ...behind, listed: ['llm'] })).toEqual({ found: [], asked: [PATH] });
  });

  it('is never one of the platform, and those are not asked about', async () => {
    const labels = {
      llm: { 'agenttier.io/secret-purpose': 'api-key', 'agenttier.io/sandbox-credential': 'true' },
    };
    expect((await judge(LLM, { labels, readable: true, listed: ['llm'] })).found).toEqual(REFUSED);
    const token = { credentials: [{ secretName: 'other-runtime-token' }] };
    expect(await judge(token, { readable: true })).toEqual({
      found: ['other-runtime-token secret_not_allowed'],
      asked: [],
    });
  });

  it('is not asked about again by its owner, but by anybody else who changes the sandbox', async () => {
    const old: SandboxSpec = { createdBy: { sub: 'tina' }, timeout: '1h', resolved: { hash: '', spec: LLM } };
    expect(await judge(LLM, { old })).toEqual({ found: [], asked: [] });
    expect((await judge(LLM, { old, user: { username: 'eve' } })).found).toEqual(REFUSED);
    expect(
      (
        await judge(
          { ...LLM, env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'new', key: 'k' } } }] },
          { old },
        )
      ).found,
    ).toEqual(['new secret_not_allowed']);
  });

  it('is not decided about while nobody can be asked', async () => {
    const fault = new KubeError({ status: 403, reason: 'Forbidden', message: 'no rights' });
    await expect(judge(LLM, { fault })).rejects.toThrow('no rights');
  });
});

describe('a ServiceAccount', () => {
  it('has to be offered by its label', async () => {
    const spec = { serviceAccount: 'robot' };
    expect(await judge(spec, { readable: true })).toEqual({
      found: ['robot service_account_not_allowed'],
      asked: ['/api/v1/namespaces/team/serviceaccounts/robot'],
    });
    const labels = { robot: { 'agenttier.io/sandbox-identity': 'true' } };
    expect((await judge(spec, { labels })).found).toEqual([]);
    const old: SandboxSpec = { createdBy: { sub: 'tina' }, resolved: { hash: '', spec } };
    expect(await judge(spec, { old })).toEqual({ found: [], asked: [] });
  });
});
