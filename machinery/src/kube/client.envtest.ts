// SPDX-License-Identifier: Apache-2.0
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import { beforeAll, describe, expect, it } from 'vitest';
import type { KubeClient, WatchEvent } from './client.ts';
import { isAlreadyExists, isConflict, isForbidden, isNotFound, KubeError } from './errors.ts';
import { CONFIG_MAPS, PODS, SERVICES } from './resource.ts';
import type { KubeObject } from './resource.ts';
import { INITIAL_EVENTS_END } from './watch.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

let client: KubeClient;
let namespace: string;

beforeAll(async () => {
  client = await adminClient();
  namespace = await freshNamespace('client');
});

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  metadata: { name, namespace },
  data,
});

const failure = async (promise: Promise<unknown>): Promise<KubeError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KubeError);
  return error as KubeError;
};

const inWords = (event: WatchEvent): string =>
  event.type === 'BOOKMARK'
    ? `end ${event.object.metadata.annotations?.[INITIAL_EVENTS_END]}`
    : `${event.type} ${'object' in event ? (event.object as KubeObject).metadata.name : ''}`;

describe('the client against a real API server', () => {
  it('creates, reads, replaces and deletes', async () => {
    const created = await client.create(CONFIG_MAPS, namespace, configMap('crud', { a: '1' }), {
      fieldManager: 'test',
    });
    expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } });
    expect(isAlreadyExists(await failure(client.create(CONFIG_MAPS, namespace, configMap('crud'))))).toBe(
      true,
    );

    const updated = await client.update(CONFIG_MAPS, { ...created, data: { a: '2' } });
    expect(updated.data).toEqual({ a: '2' });
    expect(isConflict(await failure(client.update(CONFIG_MAPS, { ...created, data: { a: '3' } })))).toBe(
      true,
    );

    const stale = { preconditions: { resourceVersion: created.metadata.resourceVersion ?? '' } };
    expect(isConflict(await failure(client.delete(CONFIG_MAPS, { namespace, name: 'crud' }, stale)))).toBe(
      true,
    );
    const uid = created.metadata.uid ?? '';
    await client.delete(CONFIG_MAPS, { namespace, name: 'crud' }, { preconditions: { uid } });
    expect(isNotFound(await failure(client.get(CONFIG_MAPS, { namespace, name: 'crud' })))).toBe(true);
  });

  it('reads a collection in pages and gives items their type', async () => {
    const many = await freshNamespace('pages');
    const names = Array.from({ length: 30 }, (_, i) => `item-${String(i).padStart(2, '0')}`);
    await Promise.all(
      names.map((name) => client.create(CONFIG_MAPS, many, { metadata: { name, namespace: many } })),
    );
    const list = await client.list(CONFIG_MAPS, { namespace: many });
    expect(list.items.map((item) => item.metadata.name)).toEqual(names);
    expect(list.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
    expect(list.resourceVersion).toMatch(/^\d+$/);
    expect((await client.list(CONFIG_MAPS, { namespace: many, limit: 7 })).items).toHaveLength(7);
  });

  it('applies server-side, reports conflicts with their causes, and takes over by force', async () => {
    const first = await client.apply(CONFIG_MAPS, configMap('applied', { owner: 'one' }), {
      fieldManager: 'one',
    });
    const again = await client.apply(CONFIG_MAPS, configMap('applied', { owner: 'one' }), {
      fieldManager: 'one',
    });
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    const conflict = await failure(
      client.apply(CONFIG_MAPS, configMap('applied', { owner: 'two' }), { fieldManager: 'two' }),
    );
    expect(isConflict(conflict)).toBe(true);
    expect(conflict.body?.details?.causes?.[0]).toMatchObject({
      reason: 'FieldManagerConflict',
      field: '.data.owner',
    });
    const forced = await client.apply(CONFIG_MAPS, configMap('applied', { owner: 'two' }), {
      fieldManager: 'two',
      force: true,
    });
    expect(forced.data).toEqual({ owner: 'two' });
  });

  it('patches by merge and by JSON patch', async () => {
    const name = 'patched';
    await client.create(CONFIG_MAPS, namespace, configMap(name, { keep: '1', drop: '2' }));
    const body = { data: { drop: null, add: '3' } };
    const merged = await client.patch<ConfigMap>(CONFIG_MAPS, { namespace, name }, { type: 'merge', body });
    expect(merged.data).toEqual({ keep: '1', add: '3' });
    const operations = [{ op: 'replace', path: '/data/keep', value: 'x' }];
    const json = await client.patch<ConfigMap>(
      CONFIG_MAPS,
      { namespace, name },
      { type: 'json', body: operations },
    );
    expect(json.data).toEqual({ keep: 'x', add: '3' });
  });

  it('stores nothing on a dry run', async () => {
    const dry = await client.create(CONFIG_MAPS, namespace, configMap('dry'), { dryRun: true });
    expect(dry.metadata.uid).toBeDefined();
    expect(isNotFound(await failure(client.get(CONFIG_MAPS, { namespace, name: 'dry' })))).toBe(true);
  });

  it('hands every field error of a refusal over', async () => {
    const service = { metadata: { name: 'Bad_Name', namespace }, spec: { ports: [{ port: 0 }] } };
    const error = await failure(client.create(SERVICES, namespace, service));
    expect(error).toMatchObject({ status: 422, reason: 'Invalid' });
    const fields = error.body?.details?.causes?.map((cause) => cause.field);
    expect(fields).toEqual(expect.arrayContaining(['metadata.name', 'spec.ports[0].port']));
  });

  it('passes warnings on', async () => {
    const warnings: string[] = [];
    const body = { ...configMap('warned'), nonsense: true } as ConfigMap;
    await client.create(CONFIG_MAPS, namespace, body, {
      fieldValidation: 'Warn',
      onWarning: (text) => warnings.push(text),
    });
    expect(warnings).toEqual(['unknown field "nonsense"']);
  });

  it('impersonates a user with several groups and extras', async () => {
    const impersonate = {
      user: 'agenttier:jürgen',
      groups: ['agenttier:users', 'agenttier:admins', 'system:authenticated'],
      extra: { 'agenttier.io/email': ['j@example.org'] },
    };
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const { body } = await client.raw({ method: 'POST', path, body: review }, { impersonate });
    expect((body as { status: { userInfo: unknown } }).status.userInfo).toMatchObject({
      username: impersonate.user,
      groups: impersonate.groups,
      extra: impersonate.extra,
    });
    expect(isForbidden(await failure(client.list(PODS, { namespace }, { impersonate })))).toBe(true);
  });

  it('streams a list and the changes after it', async () => {
    const watched = await freshNamespace('watch');
    await client.create(CONFIG_MAPS, watched, { metadata: { name: 'before', namespace: watched } });
    const stop = new AbortController();
    const seen: string[] = [];
    const query = { namespace: watched, sendInitialEvents: true };
    for await (const event of client.watch(CONFIG_MAPS, query, { signal: stop.signal })) {
      seen.push(inWords(event));
      if (event.type === 'BOOKMARK') {
        await client.create(CONFIG_MAPS, watched, { metadata: { name: 'after', namespace: watched } });
      }
      if (seen.at(-1) === 'ADDED after') break;
    }
    expect(seen).toEqual(['ADDED before', 'end true', 'ADDED after']);
  });
});
