// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '@agenttier/crds/generated/types';
import { ANNOTATION_BACKUP, ANNOTATION_BACKUP_CLASS, ANNOTATION_QUIESCED } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { PODS, VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import { refusal } from '../testing/cluster.ts';
import { MINUTE, sandbox, SECOND } from '../testing/fixtures.ts';
import { FAILED_POD } from '../testing/pods.ts';
import { Scenario } from '../testing/scenario.ts';
import {
  answerJobs,
  bindClaims,
  claimsIn,
  cutSnapshots,
  setSnapshot,
  settleStorage,
  snapshotsIn,
} from '../testing/storage.ts';
import { kindOf } from './snapshot.ts';

let s: Scenario;
beforeEach(() => {
  s = new Scenario();
});

const HOUR = 60 * MINUTE;
const ON_STOP: SandboxSpec = { storage: { snapshotOnStop: true } };
const events = (): string[] => s.operator.events.map(({ reason }) => reason);
const calls = (): string[] => s.cluster.calls.map(({ verb, resource }) => `${verb} ${resource}`);
/** What the runtimes are asked for; the jobs ask once, however often they are told. */
const asked = (): string[] => [...new Set(s.operator.jobs.map(({ call }) => call.path))];
const kinds = (): (string | undefined)[] => snapshotsIn(s).map((one) => kindOf(one));

async function running(spec: SandboxSpec): Promise<void> {
  s.apply({ spec });
  s.operator.caches.snapshots.setAvailable(true);
  await settleStorage(s, s.operator);
  expect(s.status().phase).toBe('Running');
}

describe('snapshotOnStop', () => {
  it('holds the programs, cuts, and only then lets the pod go', async () => {
    await running(ON_STOP);
    s.desire('Stopped');
    await s.operator.reconcile();
    expect(asked()).toEqual(['/quiesce']);
    expect(snapshotsIn(s)).toEqual([]);
    answerJobs(s.operator);
    await s.operator.reconcile();
    const [made] = snapshotsIn(s);
    expect(made?.spec.source).toEqual({ persistentVolumeClaimName: 'one-workspace' });
    expect(made?.metadata.annotations?.[ANNOTATION_QUIESCED]).toContain('one-pod/');
    expect(calls()).not.toContain('delete pods');
    expect(s.status()).toMatchObject({ phase: 'Running', reason: 'Stopping' });
    cutSnapshots(s);
    await s.operator.reconcile();
    expect(calls()).toContain('delete pods');
    // It must not write anything that the snapshot lacks.
    expect(s.operator.jobs).toEqual([]);
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Stopped', reason: 'UserRequested' });
    expect(events().filter((one) => one === 'Snapshotted')).toHaveLength(1);
  });

  it('waits a minute at most, and says that it failed', async () => {
    await running(ON_STOP);
    s.desire('Stopped');
    await s.operator.reconcile();
    answerJobs(s.operator);
    await s.operator.reconcile();
    const [made] = snapshotsIn(s);
    setSnapshot(s, made as never, { error: { message: 'no class' } });
    await s.operator.reconcile();
    expect(calls()).not.toContain('delete pods');
    s.advance(61 * SECOND);
    await s.operator.reconcile();
    expect(calls()).toContain('delete pods');
    const failed = s.operator.events.find(({ reason }) => reason === 'SnapshotFailed');
    expect(failed?.note).toContain('no class');
  });

  it.each([
    ['a cluster without snapshots', () => s.operator.caches.snapshots.setAvailable(false)],
    [
      'a refusal',
      () => {
        s.cluster.before = ({ verb, resource }) => {
          if (verb === 'create' && resource === 'volumesnapshots')
            throw refusal(403, 'Forbidden', 'over quota');
        };
      },
    ],
  ])('does not keep a sandbox up for %s', async (_name, spoil) => {
    await running(ON_STOP);
    spoil();
    s.desire('Stopped');
    await settleStorage(s, s.operator);
    expect(s.status().phase).toBe('Stopped');
    expect(events()).toContain('SnapshotFailed');
  });

  it('lets the programs go on when the stop is taken back', async () => {
    await running(ON_STOP);
    s.desire('Stopped');
    await s.operator.reconcile();
    answerJobs(s.operator);
    await s.operator.reconcile();
    s.desire('Running');
    cutSnapshots(s);
    await s.operator.reconcile();
    expect(asked()).toEqual(['/unquiesce']);
    expect(calls()).not.toContain('delete pods');
    expect(s.status().phase).toBe('Running');
  });

  it('is not taken of a pod that failed into an error', async () => {
    await running(ON_STOP);
    s.cluster.setPodStatus(FAILED_POD.oom);
    await settleStorage(s, s.operator);
    expect(snapshotsIn(s)).toEqual([]);
  });

  it('keeps the newest, three when nobody says', async () => {
    await running({ storage: { snapshotOnStop: true, keepStopSnapshots: 2 } });
    for (let round = 0; round < 4; round++) {
      s.desire('Stopped');
      await settleStorage(s, s.operator);
      s.advance(MINUTE);
      s.desire('Running');
      await settleStorage(s, s.operator);
    }
    expect(kinds()).toEqual(['on-stop', 'on-stop']);
    const newest = Math.max(...snapshotsIn(s).map(({ status }) => Date.parse(status?.creationTime ?? '')));
    expect(s.time - newest).toBe(MINUTE);
  });
});

describe('backups', () => {
  const every = (text: string, keep = 2): SandboxSpec => ({ backup: { every: text, keep } });

  it('are made once per interval, whoever leads, and pruned', async () => {
    await running(every('6h'));
    const seen = new Set<string>();
    for (let hour = 0; hour < 48; hour++) {
      s.advance(HOUR);
      await settleStorage(s, s.operator);
      for (const one of snapshotsIn(s)) seen.add(one.metadata.name ?? '');
    }
    expect(seen.size).toBe(8);
    expect(snapshotsIn(s)).toHaveLength(2);
    expect(events().filter((one) => one === 'BackupCreated')).toHaveLength(8);
    // Told by the write that names it, and deleted after that: each once.
    expect(events().filter((one) => one === 'BackupPruned')).toHaveLength(6);
    const kept = new Set(snapshotsIn(s).map(({ metadata }) => metadata.name));
    expect(s.status().backup?.pruned?.some(({ name }) => kept.has(name))).toBe(false);
    expect(s.status().backup?.lastScheduledTime).toBeDefined();
  });

  it('are asked for by an annotation, once for each value, and not pruned', async () => {
    await running(every('0'));
    for (const id of ['a', 'b', 'b']) {
      s.annotate(ANNOTATION_BACKUP, id);
      await settleStorage(s, s.operator);
      await settleStorage(s, s.operator);
    }
    expect(kinds()).toEqual(['backup', 'backup']);
    expect(s.status().backup).toMatchObject({ observedRequest: 'b' });
    expect(snapshotsIn(s).map(({ metadata }) => metadata.name)).toContain(s.status().backup?.lastName);
  });

  it('are of the class that was asked for', async () => {
    await running({});
    s.annotate(ANNOTATION_BACKUP_CLASS, 'fast');
    s.annotate(ANNOTATION_BACKUP, 'a');
    await settleStorage(s, s.operator);
    expect(snapshotsIn(s).map(({ spec }) => spec.volumeSnapshotClassName)).toEqual(['fast']);
  });

  it('set the programs going again as soon as they are cut', async () => {
    await running({});
    s.annotate(ANNOTATION_BACKUP, 'a');
    await s.operator.reconcile();
    answerJobs(s.operator);
    await s.operator.reconcile();
    expect(s.operator.jobs).toEqual([]);
    cutSnapshots(s);
    await s.operator.reconcile();
    expect(asked()).toEqual(['/unquiesce']);
  });

  it('are skipped while a stopped sandbox cannot have changed', async () => {
    await running(every('1h', 100));
    s.desire('Stopped');
    for (let hour = 0; hour < 10; hour++) {
      s.advance(HOUR);
      await settleStorage(s, s.operator);
    }
    // One at most before the stop was seen, and one after it.
    expect(snapshotsIn(s).length).toBeLessThanOrEqual(2);
    const count = snapshotsIn(s).length;
    s.desire('Running');
    for (let hour = 0; hour < 3; hour++) {
      s.advance(HOUR);
      await settleStorage(s, s.operator);
    }
    expect(snapshotsIn(s)).toHaveLength(count + 3);
  });

  it('that cannot be made are said, and made once they can', async () => {
    await running({});
    s.operator.caches.snapshots.setAvailable(false);
    s.annotate(ANNOTATION_BACKUP, 'a');
    await settleStorage(s, s.operator);
    expect(s.condition('BackupFailing')).toMatchObject({ status: 'True', reason: 'SnapshotsUnavailable' });
    expect(s.status().phase).toBe('Running');
    s.operator.caches.snapshots.setAvailable(true);
    await settleStorage(s, s.operator);
    expect(s.condition('BackupFailing')).toBeUndefined();
    expect(kinds()).toEqual(['backup']);
  });

  it('go with the sandbox, or stay with a volume that stays', async () => {
    for (const retainPolicy of ['Delete', 'Retain'] as const) {
      s = new Scenario();
      await running({ storage: { retainPolicy } });
      s.annotate(ANNOTATION_BACKUP, 'a');
      await settleStorage(s, s.operator);
      await s.cluster.client.delete(SANDBOXES, { namespace: 'team', name: 'one' });
      await settleStorage(s, s.operator);
      expect(s.cluster.objects(SANDBOXES)).toEqual([]);
      expect(snapshotsIn(s)).toHaveLength(retainPolicy === 'Retain' ? 1 : 0);
      expect(snapshotsIn(s)[0]?.metadata.ownerReferences ?? []).toEqual([]);
    }
  });
});

describe('restore', () => {
  const snapshot = (status?: object): void =>
    s.cluster.put(VOLUME_SNAPSHOTS, {
      metadata: {
        name: 'old',
        namespace: 'team',
        uid: 'uid-old',
        labels: { 'agenttier.io/managed': 'true' },
      },
      spec: { source: {} },
      ...(status === undefined ? {} : { status }),
    } as never);

  const begin = async (): Promise<void> => {
    s.apply({ spec: { cloneFromSnapshot: 'old' } });
    s.operator.caches.snapshots.setAvailable(true);
    await settleStorage(s, s.operator);
  };

  it('makes the volume from the snapshot, as large as that is', async () => {
    snapshot({ boundVolumeSnapshotContentName: 'c', readyToUse: true, restoreSize: '30Gi' });
    await begin();
    expect(claimsIn(s)[0]?.spec).toMatchObject({
      dataSource: { kind: 'VolumeSnapshot', name: 'old' },
      resources: { requests: { storage: '30Gi' } },
    });
    expect(s.status()).toMatchObject({ phase: 'Running', clonedFrom: 'VolumeSnapshot/old' });
    expect(events()).toContain('Cloned');
  });

  it('waits for the snapshot, with neither an empty volume nor a pod', async () => {
    snapshot();
    s.apply({ spec: { cloneFromSnapshot: 'old' } });
    s.operator.caches.snapshots.setAvailable(true);
    await s.operator.reconcile();
    expect([claimsIn(s), s.cluster.objects(PODS)]).toEqual([[], []]);
    expect(s.condition('VolumeReady')).toMatchObject({ status: 'False', reason: 'SnapshotNotReady' });
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'SnapshotNotReady' });
    cutSnapshots(s);
    await settleStorage(s, s.operator);
    expect(s.status().phase).toBe('Running');
  });

  it.each([
    ['that is gone', true, 'SnapshotMissing'],
    ['in a cluster without such things', false, 'SnapshotsUnavailable'],
  ])('of a snapshot %s waits and says why', async (_name, available, reason) => {
    s.apply({ spec: { cloneFromSnapshot: 'old' } });
    s.operator.caches.snapshots.setAvailable(available);
    await s.operator.reconcile();
    await s.operator.reconcile();
    expect(s.condition('VolumeReady')).toMatchObject({ status: 'False', reason });
    expect(claimsIn(s)).toEqual([]);
  });
});

describe('clone', () => {
  /** A running sandbox `source` beside the one that is to be its copy. */
  async function source(): Promise<void> {
    s.put({
      ...sandbox({ name: 'source', uid: 'uid-source' }),
      metadata: { ...sandbox().metadata, name: 'source', uid: 'uid-source' },
    });
    s.apply({ spec: { desiredState: 'Stopped' } });
    s.operator.caches.snapshots.setAvailable(true);
    await s.operator.reconcile('team/source');
    bindClaims(s);
    s.cluster.setPodStatus((await import('../testing/pods.ts')).READY_POD);
    await s.operator.reconcile('team/source');
  }

  const begin = async (more: object = {}): Promise<void> => {
    s.put(sandbox({ spec: { cloneFrom: { sandbox: 'source', uid: 'uid-source', ...more } } }));
    await s.operator.reconcile();
  };

  it('holds the source, cuts, copies, and takes its snapshot away', async () => {
    await source();
    await begin({ snapshotClass: 'fast' });
    expect(asked()).toEqual(['/quiesce']);
    answerJobs(s.operator);
    await s.operator.reconcile();
    const [made] = snapshotsIn(s);
    expect(made?.spec.source.persistentVolumeClaimName).toBe('source-workspace');
    expect(made?.spec.volumeSnapshotClassName).toBe('fast');
    expect(made?.metadata.ownerReferences?.[0]?.uid).toBe('uid-one');
    expect(claimsIn(s)).toHaveLength(1);
    cutSnapshots(s);
    await s.operator.reconcile();
    expect(asked()).toEqual(['/unquiesce']);
    const copy = claimsIn(s).find(({ metadata }) => metadata.name === 'one-workspace');
    expect(copy?.spec.dataSource?.name).toBe(made?.metadata.name);
    bindClaims(s);
    s.advance(2 * SECOND);
    await s.operator.reconcile();
    expect(snapshotsIn(s)).toEqual([]);
    expect(s.status().clonedFrom).toBe('Sandbox/source');
  });

  it('keeps the snapshot where that is asked for', async () => {
    await source();
    await begin({ keepSnapshot: true });
    answerJobs(s.operator);
    await s.operator.reconcile();
    cutSnapshots(s);
    await s.operator.reconcile();
    bindClaims(s);
    await s.operator.reconcile();
    expect(kinds()).toEqual(['clone']);
  });

  it('of a sandbox that is gone, or another one of its name, waits and says so', async () => {
    await source();
    await begin({ uid: 'uid-of-an-earlier-one' });
    await s.operator.reconcile();
    expect(s.condition('VolumeReady')).toMatchObject({ status: 'False', reason: 'SourceMissing' });
    expect(snapshotsIn(s)).toEqual([]);
  });
});
