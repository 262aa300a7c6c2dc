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
  plugin,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';

const MIB = 100;
/** 100 MiB in 25 files of several folders; sums of all of them, so that a file that is missing shows, too. */
const PLANT = `mkdir -p /workspace/tree && cd /workspace/tree && for i in $(seq 1 25); do mkdir -p d$((i % 5)) && head -c ${(MIB / 25) * 1_048_576} /dev/urandom > d$((i % 5))/$i; done && sync`;
const SUM =
  'cd /workspace && test $(find tree -type f | wc -l) = 25 && find tree -type f | sort | xargs sha256sum | sha256sum';

/** Memory enough for the tree, and little enough for a program to run out of it at once. */
const SMALL = `
  storage: { size: 1Gi }
  resources: { requests: { memory: 64Mi }, limits: { memory: 256Mi } }
`;

/** How a sandbox comes to its first start. Further ways are further columns of the table. */
const STARTS = { cold: '' } as const satisfies Record<string, string>;
type Start = keyof typeof STARTS;

const volumeNames = async (): Promise<string[]> =>
  (await getJson(['pv'])).items.map((item: Json) => item.metadata.name as string);

describe.each(Object.keys(STARTS) as Start[])('data of a %s-started sandbox', (start) => {
  const namespace = walkNamespace(`walk-vol-${start}`);
  const name = `keeper-${start}`;
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
  const podUid = async (): Promise<string> => {
    const { status } = await sandbox(name);
    return (await getJson(['pod', status.podName, '-n', namespace()])).metadata.uid;
  };
  const restarted = async (before: string): Promise<void> => {
    await until('another pod', async () => (await podUid()) !== before);
    await untilPhase(name, namespace(), 'Running');
  };
  let sum = '';
  let claim = '';

  beforeAll(async () => {
    await ok(apply(minimalSandbox(name, `${SMALL}${STARTS[start]}`), namespace()));
    await untilPhase(name, namespace(), 'Running');
    await shell(PLANT);
    sum = await shell(SUM);
    claim = (await sandbox(name)).status.pvcName;
  }, 180_000);

  /** What happens to the sandbox; afterwards its files are the same, on the same volume. */
  const EVENTS: Readonly<Record<string, () => Promise<void>>> = {
    'stop and resume': async () => {
      await ok(plugin(['stop', name, '-n', namespace()]));
      await untilPhase(name, namespace(), 'Stopped');
      await ok(plugin(['resume', name, '-n', namespace()]));
      await untilPhase(name, namespace(), 'Running');
    },
    'pod killed': async () => {
      const before = await podUid();
      const { status } = await sandbox(name);
      await ok(kubectl(['delete', 'pod', status.podName, '-n', namespace(), '--grace-period=0', '--force']));
      await restarted(before);
    },
    'out of memory': async () => {
      const before = await podUid();
      const { stdout } = await inSandbox(name, namespace(), 'tail /dev/zero; echo ended $?');
      // Where the kernel takes a container as a whole the pod goes with it; elsewhere it takes the greedy process alone.
      if (!stdout.includes('ended 137')) await restarted(before);
    },
    'operator killed while it stops': async () => {
      await patch({ desiredState: 'Stopped' });
      await ok(
        kubectl([
          'delete',
          'pod',
          '-n',
          'agenttier',
          '-l',
          'app.kubernetes.io/component=operator',
          '--grace-period=0',
          '--force',
        ]),
      );
      await untilPhase(name, namespace(), 'Stopped');
      await patch({ desiredState: 'Running' });
      await untilPhase(name, namespace(), 'Running');
    },
  };

  it.each(Object.entries(EVENTS))('%s: same bytes, same volume', async (_what, happen) => {
    await happen();
    expect(await shell(SUM)).toBe(sum);
    expect((await sandbox(name)).status.pvcName).toBe(claim);
  });

  it('clone: same bytes on a volume of its own, and no snapshot left', async () => {
    await ok(apply(minimalSandbox('copy', `  cloneFrom: { sandbox: ${name} }\n`), namespace()));
    const copy = await untilPhase('copy', namespace(), 'Running');
    expect(await shell(SUM, 'copy')).toBe(sum);
    expect(copy.status).toMatchObject({ clonedFrom: `Sandbox/${name}`, pvcName: 'copy-workspace' });
    expect(copy.spec.sharing).toBeUndefined();
    await until('the snapshot to be gone', async () => (await snapshots('clone')).length === 0);
    // What the source does from now on is its own affair; its programs were let go.
    expect(await shell('echo x > /workspace/after && cat /workspace/after')).toBe('x');
    expect((await inSandbox('copy', namespace(), 'test -e /workspace/after')).code).not.toBe(0);
  });

  it('backup on request, and restore: same bytes, from before the change', async () => {
    await annotate('agenttier.io/backup=walk-1');
    const status = await until('the backup', async () => {
      const { backup } = (await sandbox(name)).status;
      return backup?.observedRequest === 'walk-1' && backup.lastName !== undefined ? backup : undefined;
    });
    await shell('rm -rf /workspace/tree');
    await ok(
      apply(
        minimalSandbox('restored', `  storage: { size: 100Mi }\n  cloneFromSnapshot: ${status.lastName}\n`),
        namespace(),
      ),
    );
    const restored = await untilPhase('restored', namespace(), 'Running');
    expect(await shell(SUM, 'restored')).toBe(sum);
    // As large as what was cut, whatever was asked for.
    expect(restored.spec.resolved.spec.storage.size).toBe('1Gi');
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
