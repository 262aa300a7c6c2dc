// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { requestedBackupName } from '@agenttier/crds/sandbox/snapshots';
import { errorFromResponse } from '@agenttier/machinery/kube/errors';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANN_KEY, BOB_KEY, Harness } from '../../testing/harness.ts';

let harness: Harness;
let uid: string;
beforeEach(async () => {
  harness = await Harness.start();
  const spec = { sharing: { users: [{ identity: 'bob', level: 'viewer' as const }] } };
  uid = (await harness.add({ name: 'box', phase: 'Stopped', spec })).metadata.uid ?? '';
});
afterEach(() => harness.stop());

const call = (method: string, path: string, body?: unknown, key = ANN_KEY) =>
  harness.call(method, `/api/v1/sandboxes/box${path}`, { key, ...(body === undefined ? {} : { body }) });

const stored = () => harness.api.get<Sandbox & KubeObject>(SANDBOXES, { namespace: 'default', name: 'box' });

const snapshot = (name: string, of = uid, more: object = {}) =>
  harness.api.create(VOLUME_SNAPSHOTS, 'default', {
    metadata: {
      name,
      namespace: 'default',
      labels: { 'agenttier.io/sandbox-uid': of, 'agenttier.io/snapshot-kind': 'backup' },
    },
    status: { readyToUse: true, restoreSize: '1Gi', creationTime: '2026-06-01T12:00:00Z' },
    ...more,
  } as KubeObject);

const names = (body: { backups: { name: string }[] }): string[] => body.backups.map(({ name }) => name);

describe('backups', () => {
  it('are asked for by the annotation that kubectl sets, as the owner', async () => {
    const made = await call('POST', '/backups', { snapshotClass: 'fast' });
    const { metadata } = await stored();
    const request = metadata.annotations?.['agenttier.io/backup'] ?? '';
    expect(made).toMatchObject({
      status: 201,
      body: { name: requestedBackupName({ name: 'box', uid }, request), kind: 'backup', readyToUse: false },
    });
    expect(metadata.annotations).toMatchObject({ 'agenttier.io/backup-class': 'fast' });
    const patch = harness.calls.find(({ method }) => method === 'patch');
    expect(patch?.given[3]).toMatchObject({ impersonate: { user: 'agenttier:ann' } });
    expect(names((await call('GET', '/backups')).body)).toEqual([made.body.name]);
  });

  it('asked for twice in a second are one while none is begun, and two after', async () => {
    const [first, second] = await Promise.all([call('POST', '/backups', {}), call('POST', '/backups', {})]);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.name).toBe(first.body.name);
    await snapshot(first.body.name);
    const third = await call('POST', '/backups', {});
    expect(third).toMatchObject({ status: 201 });
    expect(third.body.name).not.toBe(first.body.name);
    expect(names((await call('GET', '/backups')).body)).toEqual([third.body.name, first.body.name]);
  });

  it('take no class of an earlier one along', async () => {
    const first = await call('POST', '/backups', { snapshotClass: 'fast' });
    await snapshot(first.body.name);
    await call('POST', '/backups', {});
    expect((await stored()).metadata.annotations).not.toHaveProperty('agenttier.io/backup-class');
  });

  it('lists what is the sandbox’s own', async () => {
    await snapshot('mine');
    await snapshot('of-another', 'another-uid');
    await snapshot('copy', uid, {
      metadata: {
        name: 'copy',
        namespace: 'default',
        labels: { 'agenttier.io/sandbox-uid': uid, 'agenttier.io/snapshot-kind': 'clone' },
      },
    });
    expect((await call('GET', '/backups')).body).toEqual({
      backups: [
        {
          name: 'mine',
          kind: 'backup',
          readyToUse: true,
          quiesced: false,
          createdAt: '2026-06-01T12:00:00Z',
          restoreSize: '1Gi',
        },
      ],
    });
  });

  it('deletes those and no others, as the person', async () => {
    await snapshot('mine');
    await snapshot('of-another', 'another-uid');
    expect(await call('DELETE', '/backups/of-another')).toMatchObject({ status: 404 });
    expect(await call('DELETE', '/backups/mine')).toMatchObject({
      status: 200,
      body: { status: 'deleted', name: 'mine' },
    });
    const removed = harness.calls.find(({ method }) => method === 'delete');
    expect(removed?.given[2]).toMatchObject({
      preconditions: { uid: expect.any(String) },
      impersonate: { user: 'agenttier:ann' },
    });
    expect(await call('DELETE', '/backups/mine')).toMatchObject({ status: 404 });
  });

  it('need a volume, the kind in the cluster, and the right', async () => {
    await harness.add({ name: 'new', phase: 'Creating' });
    const fresh = await harness.api.get<Sandbox & KubeObject>(SANDBOXES, {
      namespace: 'default',
      name: 'new',
    });
    harness.change(fresh, { status: { phase: 'Creating' } });
    expect((await harness.call('POST', '/api/v1/sandboxes/new/backups', { body: {} })).status).toBe(400);
    expect((await call('POST', '/backups', {}, BOB_KEY)).status).toBe(403);
    expect((await call('GET', '/backups', undefined, BOB_KEY)).status).toBe(403);
    harness.api.before = ({ resource }) => {
      if (resource === VOLUME_SNAPSHOTS) throw errorFromResponse(404, 'no such kind');
    };
    expect((await call('GET', '/backups')).body).toEqual({ backups: [] });
    const refused = await call('POST', '/backups', {});
    expect([refused.status, refused.body.error]).toEqual([422, 'snapshots_unavailable']);
  });
});

describe('copies', () => {
  const copyOf = (name: string) =>
    harness.api.get<Sandbox & KubeObject>(SANDBOXES, { namespace: 'default', name });

  it('are made as the caller, without the sharing of the source', async () => {
    const made = await call('POST', '/clone', { snapshotClass: 'fast' });
    expect(made).toMatchObject({
      status: 202,
      body: { namespace: 'default', clonedFrom: 'box', phase: 'Pending' },
    });
    expect(made.body.name).toMatch(/^box-clone-[a-z0-9]{5}$/);
    const copy = await copyOf(made.body.name);
    expect(copy.spec).toEqual({
      templateRef: { name: 'shell' },
      cloneFrom: { sandbox: 'box', snapshotClass: 'fast' },
    });
    expect(copy.metadata.labels).toMatchObject({ 'agenttier.io/cloned-from': 'box' });
    const created = harness.calls.find(({ method, given }) => method === 'create' && given[0] === SANDBOXES);
    expect(created?.given[3]).toMatchObject({ impersonate: { user: 'agenttier:ann' } });
  });

  it('can be asked about without being made', async () => {
    expect((await call('POST', '/clone?dryRun=true', { name: 'maybe' })).status).toBe(202);
    const created = harness.calls.find(({ method, given }) => method === 'create' && given[0] === SANDBOXES);
    expect(created?.given[3]).toMatchObject({ dryRun: true });
    expect((await harness.call('GET', '/api/v1/sandboxes')).body.sandboxes).toHaveLength(1);
  });

  it('never collide by name where none is given', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', '/clone', {})));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(new Set(answers.map(({ body }) => body.name)).size).toBe(20);
  });

  it('refuse a name that is none or taken', async () => {
    expect((await call('POST', '/clone', { name: 'No Name' })).body.violations[0].field).toBe('name');
    expect((await call('POST', '/clone', { name: 'box' })).status).toBe(409);
  });

  it('are for whoever may enter, and nobody learns of what is not his', async () => {
    expect((await call('POST', '/clone', {}, BOB_KEY)).status).toBe(403);
    await harness.add({ name: 'private', owner: 'eve' });
    const foreign = await harness.call('POST', '/api/v1/sandboxes/private/clone', { body: {} });
    expect(foreign.status).toBe(404);
  });

  it('come from a backup of the sandbox, and of no other', async () => {
    await snapshot('mine');
    await snapshot('of-another', 'another-uid');
    const made = await call('POST', '/backups/mine/restore', { name: 'again' });
    expect(made).toMatchObject({
      status: 202,
      body: { name: 'again', restoredFrom: 'box', snapshot: 'mine' },
    });
    expect((await copyOf('again')).spec).toEqual({
      templateRef: { name: 'shell' },
      cloneFromSnapshot: 'mine',
    });
    expect((await call('POST', '/backups/of-another/restore', {})).status).toBe(404);
    expect((await call('POST', '/backups/none/restore')).status).toBe(404);
    await snapshot('going', uid, {
      metadata: {
        name: 'going',
        namespace: 'default',
        deletionTimestamp: '2026-06-01T12:00:00Z',
        labels: { 'agenttier.io/sandbox-uid': uid, 'agenttier.io/snapshot-kind': 'backup' },
      },
    });
    expect((await call('POST', '/backups/going/restore', {})).status).toBe(409);
  });
});
