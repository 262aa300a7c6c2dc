// SPDX-License-Identifier: Apache-2.0
import { json, list, status } from '@agenttier/machinery/testing/scriptedServer';
import { describe, expect, it } from 'vitest';
import { scriptedCluster, sent } from '../testing/scriptedCluster.ts';

const SANDBOXES = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxes';
const SNAPSHOTS = '/apis/snapshot.storage.k8s.io/v1/namespaces/team/volumesnapshots';
const cluster = scriptedCluster();
const demo = (backup?: object) => ({
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'Sandbox',
  metadata: { name: 'demo', namespace: 'team' },
  spec: {
    templateRef: { name: 'python' },
    createdBy: { sub: 'ann' },
    sharing: { users: [] },
    desiredState: 'Stopped',
    resolved: { hash: 'h' },
  },
  status: { phase: 'Running', ...(backup ? { backup } : {}) },
});
const snapshot = (name: string, source: string | undefined, minutes: number) => ({
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshot',
  metadata: {
    name,
    uid: `uid-of-${name}`,
    creationTimestamp: new Date(Date.now() - minutes * 60_000).toISOString(),
    labels: source ? { 'agenttier.io/source-sandbox': source, 'agenttier.io/snapshot-kind': 'backup' } : {},
  },
  status: { readyToUse: true, restoreSize: '1Gi' },
});

describe('clone', () => {
  it('asks for what the source asks for, without what is the source’s own', async () => {
    cluster.server.on('GET', `${SANDBOXES}/demo`, json(demo()));
    cluster.server.on('POST', SANDBOXES, json({ ...demo(), metadata: { name: 'demo-clone-x1' } }, 201));
    expect((await cluster.run('clone', 'demo')).out).toBe(
      'sandbox.agenttier.io/demo-clone-x1 cloned from demo\n',
    );
    expect((await cluster.run('clone', 'sandbox/demo', 'second', '--keep-snapshot')).code).toBe(0);
    const spec = { templateRef: { name: 'python' }, cloneFrom: { sandbox: 'demo' } };
    expect(sent(cluster, 'POST')).toMatchObject([
      { metadata: { generateName: 'demo-clone-', namespace: 'team' }, spec },
      { metadata: { name: 'second' }, spec: { ...spec, cloneFrom: { sandbox: 'demo', keepSnapshot: true } } },
    ]);
    expect(Object.keys((sent(cluster, 'POST')[0] as { spec: object }).spec)).toEqual([
      'templateRef',
      'cloneFrom',
    ]);
  });
});

describe('backup', () => {
  it('lists the newest first', async () => {
    cluster.server.on('GET', SNAPSHOTS, list([snapshot('old', 'demo', 90), snapshot('new', 'demo', 3)]));
    const { out } = await cluster.run('backup', 'list', 'demo');
    expect(out.split('\n').map((line) => line.split(/ +/).slice(0, 5))).toEqual([
      ['NAME', 'SANDBOX', 'KIND', 'READY', 'SIZE'],
      ['new', 'demo', 'backup', 'true', '1Gi'],
      ['old', 'demo', 'backup', 'true', '1Gi'],
      [''],
    ]);
    expect(cluster.server.requests[0]?.query.get('labelSelector')).toBe('agenttier.io/source-sandbox=demo');
  });

  it('waits until the operator has made the one that was asked for', async () => {
    const id = (): string =>
      (sent(cluster, 'PATCH')[0] as { metadata: { annotations: Record<string, string> } }).metadata
        .annotations['agenttier.io/backup'] ?? '';
    cluster.server
      .on('GET', `${SANDBOXES}/demo`, json(demo({ lastName: 'before' })))
      .on('PATCH', `${SANDBOXES}/demo`, json(demo()))
      .on('GET', SANDBOXES, (response, request) =>
        list([demo({ observedRequest: id(), lastName: 'after' })])(response, request),
      );
    expect(await cluster.run('backup', 'create', 'demo', '--wait')).toEqual({
      code: 0,
      out: 'sandbox.agenttier.io/demo backed up as after\n',
      err: '',
    });
  });

  it('says why it cannot be made', async () => {
    const failing = {
      type: 'BackupFailing',
      status: 'True',
      reason: 'SnapshotsUnavailable',
      message: 'no driver',
    };
    const broken = { ...demo(), status: { phase: 'Running', conditions: [failing] } };
    cluster.server
      .on('GET', `${SANDBOXES}/demo`, json(demo()))
      .on('PATCH', `${SANDBOXES}/demo`, json(demo()))
      .on('GET', SANDBOXES, list([broken]));
    expect((await cluster.run('backup', 'create', 'demo', '--wait')).err).toBe(
      'error: sandbox "demo" cannot be backed up: no driver\n',
    );
  });

  it('restores with what the old sandbox asks for, and without it from a template', async () => {
    cluster.server
      .on('GET', `${SNAPSHOTS}/b1`, json(snapshot('b1', 'demo', 1)))
      .on('GET', `${SANDBOXES}/demo`, json(demo()), status(404, { reason: 'NotFound' }))
      .on('POST', SANDBOXES, json(demo(), 201));
    await cluster.run('backup', 'restore', 'b1', 'again');
    expect(await cluster.run('backup', 'restore', 'b1')).toEqual({
      code: 1,
      out: '',
      err: 'error: sandbox "demo", which this is a backup of, does not exist any more: say what to make with --template\n',
    });
    await cluster.run('backup', 'restore', 'b1', '-t', 'shell');
    expect(sent(cluster, 'POST')).toMatchObject([
      { metadata: { name: 'again' }, spec: { templateRef: { name: 'python' }, cloneFromSnapshot: 'b1' } },
      {
        metadata: { generateName: 'demo-restore-' },
        spec: { templateRef: { name: 'shell' }, cloneFromSnapshot: 'b1' },
      },
    ]);
  });

  it('deletes backups of sandboxes and no other snapshot', async () => {
    cluster.server
      .on('GET', `${SNAPSHOTS}/b1`, json(snapshot('b1', 'demo', 1)))
      .on('GET', `${SNAPSHOTS}/foreign`, json(snapshot('foreign', undefined, 1)))
      .on('DELETE', `${SNAPSHOTS}/b1`, json({}));
    const { code, out, err } = await cluster.run('backup', 'delete', 'b1', 'foreign');
    expect({ code, out }).toEqual({ code: 1, out: 'volumesnapshot.snapshot.storage.k8s.io "b1" deleted\n' });
    expect(err).toMatch(/^error: volumesnapshot "foreign" is no backup of a sandbox/);
    expect(sent(cluster, 'DELETE')).toMatchObject([{ preconditions: { uid: 'uid-of-b1' } }]);
  });

  it('names what a cluster without snapshots lacks', async () => {
    cluster.server.on(
      'GET',
      SNAPSHOTS,
      status(404, { message: 'the server could not find the requested resource' }),
    );
    expect((await cluster.run('backup', 'list')).err).toMatch(/^error: the cluster has no VolumeSnapshots/);
  });
});
