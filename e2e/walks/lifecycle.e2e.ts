// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  kubectl,
  minimalSandbox,
  ok,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';
import { eventsOf, podUid, reasonsOf, small } from './sandboxes.ts';

describe('a sandbox that loses its pod', () => {
  const namespace = walkNamespace('walk-heal');

  beforeAll(async () => {
    for (const name of ['greedy', 'moved']) await ok(apply(minimalSandbox(name, small()), namespace()));
    for (const name of ['greedy', 'moved']) await untilPhase(name, namespace(), 'Running');
  });

  it('comes back from running out of memory on the same volume, and says what the limit was', async () => {
    const before = await getJson(['sandbox', 'greedy', '-n', namespace()]);
    const volume = await getJson(['pvc', before.status.pvcName, '-n', namespace()]);
    await ok(inSandbox('greedy', namespace(), 'echo kept > /workspace/kept'));
    // Memory of a file in /tmp belongs to no process, so the kernel ends the largest one: the main process.
    await inSandbox('greedy', namespace(), 'head -c 200000000 /dev/zero > /tmp/ballast');
    await until('the loss to be counted', async () => {
      const { status } = await getJson(['sandbox', 'greedy', '-n', namespace()]);
      return status.restartCount === 1;
    });
    const after = await untilPhase('greedy', namespace(), 'Running');
    expect(after.status).toMatchObject({ restartCount: 1, pvcName: before.status.pvcName });
    expect((await getJson(['pvc', after.status.pvcName, '-n', namespace()])).metadata.uid).toBe(
      volume.metadata.uid,
    );
    expect(await ok(inSandbox('greedy', namespace(), 'cat /workspace/kept'))).toBe('kept\n');
    const note = (await eventsOf('greedy', namespace())).find(({ reason }) => reason === 'Restarting')?.note;
    expect(note).toContain('OOMKilled');
    expect(note).toContain('64Mi');
  });

  it('is moved by a drain without spending its budget', async () => {
    const old = await podUid('moved', namespace());
    const { spec } = await getJson(['pod', 'moved-pod', '-n', namespace()]);
    await ok(kubectl(['cordon', spec.nodeName]));
    try {
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'moved-pod' } };
      const path = `/api/v1/namespaces/${namespace()}/pods/moved-pod/eviction`;
      await ok(kubectl(['create', '--raw', path, '-f', '-'], { stdin: JSON.stringify(eviction) }));
      await until('a new pod to wait for a node', async () => {
        const { status } = await getJson(['sandbox', 'moved', '-n', namespace()]);
        return status.phase === 'Creating' && status.reason === 'Unschedulable';
      });
    } finally {
      await ok(kubectl(['uncordon', spec.nodeName]));
    }
    const { status } = await untilPhase('moved', namespace(), 'Running');
    expect(status.restartCount ?? 0).toBe(0);
    expect(await podUid('moved', namespace())).not.toBe(old);
    expect(await reasonsOf('moved', namespace())).toContain('Restarting');
  });
});
