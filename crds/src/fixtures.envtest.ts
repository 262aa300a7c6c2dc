// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { KubeError } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import type { Sandbox } from './generated/types.ts';
import { ALL_RESOURCES, SANDBOX_WARM_POOLS, SANDBOXES } from './meta/resources.ts';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

let client: KubeClient;
let namespace: string;

beforeAll(async () => {
  client = await adminClient();
  namespace = await freshNamespace('crds');
});

/** What the API server says to creating the fixture, without keeping it. */
async function submit(path: string): Promise<KubeObject | KubeError> {
  const object = parse(readFileSync(at(path), 'utf8')) as KubeObject;
  const resource = ALL_RESOURCES.find(({ kind }) => kind === object.kind);
  if (resource === undefined) throw new Error(`${path} is of no kind of ours`);
  const scope = resource.namespaced ? namespace : undefined;
  try {
    return await client.create(resource, scope, object, { dryRun: true });
  } catch (error) {
    if (error instanceof KubeError) return error;
    throw error;
  }
}

async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => 'accepted',
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubeError)) throw new Error(`expected a refusal, got ${String(error)}`);
  expect(error.status).toBe(422);
  return error.message;
}

describe('the API server agrees with the fixtures', () => {
  it.each(readdirSync(at('testdata/valid')))('accepts %s', async (name) => {
    const answer = await submit(`testdata/valid/${name}`);
    if (answer instanceof KubeError) expect.fail(answer.message);
  });

  it.each(readdirSync(at('testdata/invalid')))('refuses %s', async (name) => {
    const answer = await submit(`testdata/invalid/${name}`);
    if (!(answer instanceof KubeError)) expect.fail('it was accepted');
    expect(answer.status).toBe(422);
  });

  it('drops fields that do not exist', async () => {
    const answer = (await submit('testdata/valid/sandbox-unknown-field.yaml')) as Sandbox;
    expect(answer.spec).toEqual({ storage: { size: '1Gi' } });
  });

  it('keeps the whole effective spec', async () => {
    const answer = (await submit('testdata/valid/sandbox-resolved.yaml')) as Sandbox;
    expect(answer.spec?.resolved?.spec).toMatchObject({ anything: ['goes', { here: 1 }] });
  });

  it('drops a null where a value may be absent', async () => {
    const answer = (await submit('testdata/valid/sandbox-null.yaml')) as Sandbox;
    expect(answer.spec).toEqual({ image: { repository: 'nginx' } });
  });
});

describe('what cannot change', () => {
  const full = {
    mode: 'code',
    templateRef: { kind: 'SandboxTemplate', name: 'a' },
    storage: { size: '1Gi', storageClass: 'fast', mountPath: '/work' },
    cloneFromSnapshot: 'snap',
    createdBy: { sub: 'alice' },
  } as const;
  const cases: [string, unknown, RegExp][] = [
    ['the mode', { mode: 'agent' }, /mode is fixed/],
    ['the presence of the mode', { mode: null }, /mode is fixed/],
    ['the template', { templateRef: { name: 'b' } }, /templateRef is fixed/],
    ['the kind of the template', { templateRef: { kind: 'ClusterSandboxTemplate' } }, /templateRef is fixed/],
    ['the snapshot', { cloneFromSnapshot: 'other' }, /cloneFromSnapshot is fixed/],
    ['the owner', { createdBy: { sub: 'bob' } }, /createdBy is written once/],
    ['the details of the owner', { createdBy: { email: 'bob@example.com' } }, /createdBy is written once/],
    ['the presence of the owner', { createdBy: null }, /createdBy is written once/],
    ['the storage class', { storage: { storageClass: 'slow' } }, /storageClass is fixed/],
    ['the mount path', { storage: { mountPath: '/other' } }, /mountPath is fixed/],
    ['the whole storage', { storage: null }, /is fixed/],
  ];

  it.each(cases)('%s', async (what, spec, message) => {
    const name = `fixed-${what.replaceAll(' ', '-')}`;
    await client.create(SANDBOXES, namespace, { metadata: { name }, spec: full } as KubeObject);
    const patch = { type: 'merge', body: { spec } } as const;
    expect(await refusal(client.patch(SANDBOXES, { namespace, name }, patch))).toMatch(message);
  });

  it('but an owner can be given to a sandbox that has none, and the rest can change', async () => {
    const name = 'changes';
    const { createdBy, ...spec } = full;
    await client.create(SANDBOXES, namespace, { metadata: { name }, spec } as KubeObject);
    const body = { spec: { createdBy, timeout: '1h', storage: { size: '2Gi' }, desiredState: 'Stopped' } };
    const changed = await client.patch<Sandbox & KubeObject>(
      SANDBOXES,
      { namespace, name },
      { type: 'merge', body },
    );
    expect(changed.spec).toMatchObject({ ...spec, ...body.spec, storage: { ...spec.storage, size: '2Gi' } });
  });
});

describe('the definitions', () => {
  it('stay under the size that a client-side apply can carry', () => {
    for (const { plural } of ALL_RESOURCES) {
      expect(statSync(at(`agenttier.io_${plural}.yaml`)).size).toBeLessThan(150_000);
    }
  });

  it('are found under their short names and the category', async () => {
    const answer = await client.raw({ method: 'GET', path: '/apis/agenttier.io/v1alpha1' });
    const { resources } = answer.body as {
      resources: { name: string; shortNames?: string[]; categories?: string[] }[];
    };
    const short = resources.flatMap(({ shortNames = [] }) => shortNames);
    expect(short.toSorted()).toEqual(['csbpol', 'csbt', 'sbpol', 'sbt', 'sbwh', 'sbwp', 'sbx']);
    const kinds = resources.filter(({ name }) => !name.includes('/'));
    expect(kinds.every(({ categories }) => categories?.includes('agenttier'))).toBe(true);
    expect(resources.filter(({ name }) => name.endsWith('/status'))).toHaveLength(7);
  });

  it('let a warm pool be scaled', async () => {
    const pool = { metadata: { name: 'pool' }, spec: { templateRef: { name: 'x' }, replicas: 1 } };
    await client.create(SANDBOX_WARM_POOLS, namespace, pool);
    const path = `/apis/agenttier.io/v1alpha1/namespaces/${namespace}/sandboxwarmpools/pool/scale`;
    const scale = (await client.raw({ method: 'GET', path })).body as { spec: { replicas: number } };
    await client.raw({ method: 'PUT', path, body: { ...scale, spec: { replicas: 4 } } });
    const scaled = await client.get<typeof pool>(SANDBOX_WARM_POOLS, { namespace, name: 'pool' });
    expect(scaled.spec.replicas).toBe(4);
  });

  it('print the columns that people look for', async () => {
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const path = `/apis/agenttier.io/v1alpha1/namespaces/${namespace}/sandboxes`;
    const { columnDefinitions } = (await client.raw({ method: 'GET', path, headers })).body as {
      columnDefinitions: { name: string; priority: number }[];
    };
    expect(columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name)).toEqual([
      'Name',
      'Status',
      'Template',
      'Mode',
      'Owner',
      'Age',
    ]);
  });
});
