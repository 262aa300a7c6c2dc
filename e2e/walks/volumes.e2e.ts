// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  type Json,
  kubectl,
  minimalSandbox,
  ok,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';
import { PLANT, SUM } from './tree.ts';

/** Memory enough for the tree, and little enough for a program to run out of it at once. */
const SMALL = `
  storage: { size: 1Gi }
  resources: { requests: { memory: 64Mi }, limits: { memory: 256Mi } }
`;

const volumeNames = async (): Promise<string[]> =>
  (await getJson(['pv'])).items.map((item: Json) => item.metadata.name as string);

describe('volumes', () => {
  const namespace = walkNamespace('walk-vol');
  const name = 'keeper';
  const sandbox = (of: string): Promise<Json> => getJson(['sandbox', of, '-n', namespace()]);
  const shell = async (script: string, of = name) => (await ok(inSandbox(of, namespace(), script))).trim();
  const patch = (spec: object, of = name) =>
    ok(kubectl(['patch', 'sandbox', of, '-n', namespace(), '--type=merge', '-p', JSON.stringify({ spec })]));
  const annotate = (text: string) =>
    ok(kubectl(['annotate', 'sandbox', name, '-n', namespace(), '--overwrite', text]));
  const snapshots = async (kind?: string): Promise<Json[]> => {
    const selector = kind === undefined ? [] : ['-l', `agenttier.io/snapshot-kind=${kind}`];
    return (await getJson(['volumesnapshots', '-n', namespace(), ...selector])).items;
  };
  let sum = '';

  beforeAll(async () => {
    await ok(apply(minimalSandbox(name, SMALL), namespace()));
    await untilPhase(name, namespace(), 'Running');
    await shell(PLANT);
    sum = await shell(SUM);
  }, 180_000);

  it('restores a backup that was asked for', async () => {
    await annotate('agenttier.io/backup=walk-1');
    const { lastName } = await until('the backup', async () => {
      const { backup } = (await sandbox(name)).status;
      return backup?.observedRequest === 'walk-1' && backup.lastName !== undefined ? backup : undefined;
    });
    await ok(apply(minimalSandbox('restored', `  cloneFromSnapshot: ${lastName}\n`), namespace()));
    await untilPhase('restored', namespace(), 'Running');
    expect(await shell(SUM, 'restored')).toBe(sum);
    await ok(apply(minimalSandbox('copy', `  cloneFrom: { sandbox: ${name} }\n`), namespace()));
    await untilPhase('copy', namespace(), 'Running');
  });

  it('grows in place', async () => {
    await patch({ storage: { size: '2Gi' } }, 'restored');
    await until('the volume to have grown', async () => {
      const { status } = await getJson(['pvc', 'restored-workspace', '-n', namespace()]);
      return status.capacity.storage === '2Gi';
    });
    await until('the condition', async () => {
      const { conditions } = (await sandbox('restored')).status;
      return conditions.find(({ type }: Json) => type === 'VolumeReady').reason === 'Bound';
    });
    const shrunk = kubectl([
      'patch',
      'sandbox',
      'restored',
      '-n',
      namespace(),
      '--type=merge',
      '-p',
      '{"spec":{"storage":{"size":"1Gi"}}}',
    ]);
    expect((await shrunk).stderr).toContain('volumes only grow');
  });

  it('is cut on stop, and what is cut is what was there', async () => {
    await patch({ storage: { snapshotOnStop: true, keepStopSnapshots: 1 } }, 'restored');
    for (const round of ['1', '2']) {
      await shell(`echo ${round} > /workspace/round`, 'restored');
      await patch({ desiredState: 'Stopped' }, 'restored');
      await untilPhase('restored', namespace(), 'Stopped');
      await patch({ desiredState: 'Running' }, 'restored');
      await untilPhase('restored', namespace(), 'Running');
    }
    const [kept, ...more] = await until('one snapshot, the second', async () => {
      const found = await snapshots('on-stop');
      return found.length === 1 && found[0].status?.readyToUse === true ? found : undefined;
    });
    expect(more).toEqual([]);
    await ok(apply(minimalSandbox('rewound', `  cloneFromSnapshot: ${kept.metadata.name}\n`), namespace()));
    await untilPhase('rewound', namespace(), 'Running');
    expect(await shell('cat /workspace/round', 'rewound')).toBe('2');
    expect(await shell(SUM, 'rewound')).toBe(sum);
  });

  it('is backed up by schedule, the newest two kept', async () => {
    await patch({ backup: { every: '5s', keep: 2 } }, 'rewound');
    const names = new Set<string>();
    await until('four backups, of which two are left', async () => {
      const found = (await snapshots('scheduled-backup')).map((one) => one.metadata.name as string);
      for (const one of found) names.add(one);
      return names.size >= 4 && found.length <= 3;
    });
    await patch({ backup: { every: '0' } }, 'rewound');
    await until('two of them', async () => (await snapshots('scheduled-backup')).length >= 2);
    const events = await ok(
      kubectl(['get', 'events', '-n', namespace(), '-o', 'jsonpath={.items[*].reason}']),
    );
    for (const reason of ['BackupCreated', 'BackupPruned', 'Snapshotted', 'Cloned'])
      expect(events).toContain(reason);
  });

  it('leaves no volume and no snapshot behind, but what is to be retained', async () => {
    await patch({ storage: { retainPolicy: 'Retain' } }, 'copy');
    const claims: Json[] = (await getJson(['pvc', '-n', namespace()])).items;
    const volumeOf = (of: string): string =>
      claims.find(({ metadata }) => metadata.name === of)?.spec.volumeName;
    const doomed = claims.map((one) => one.spec.volumeName as string);
    expect(await volumeNames()).toEqual(expect.arrayContaining(doomed));
    await ok(kubectl(['delete', 'sandboxes', '--all', '-n', namespace(), '--timeout=90s']));
    await until('the volumes to be gone', async () => {
      const left = await volumeNames();
      return doomed.filter((one) => left.includes(one)).join() === volumeOf('copy-workspace');
    });
    await until('the snapshots to be gone', async () => (await snapshots()).length === 0);
    const { metadata } = await getJson(['pvc', 'copy-workspace', '-n', namespace()]);
    expect(metadata.labels).toEqual({ 'agenttier.io/retained-from': 'copy' });
  });
});
