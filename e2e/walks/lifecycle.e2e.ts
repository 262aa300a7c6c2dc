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
  rest,
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

describe('fifty times stop and resume at once', () => {
  const namespace = walkNamespace('walk-again');
  const names = Array.from({ length: 5 }, (_, index) => `again-${index}`);

  const uids = async (resource: string): Promise<string[]> => {
    const { items } = await getJson([resource, '-n', namespace()]);
    return items.map((one: Json) => one.metadata.uid).toSorted();
  };
  const all = async (verb: 'stop' | 'resume'): Promise<void> => {
    const path = (name: string) => `/sandboxes/${name}/${verb}?namespace=${namespace()}`;
    const answers = await Promise.all(names.map((name) => rest('POST', path(name))));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(
      names.map(() => [200, { status: verb === 'stop' ? 'stopping' : 'resuming' }]),
    );
  };
  /** The operator has seen the last wish, and it is fulfilled. */
  const settled = ({ metadata, status }: Json): boolean =>
    status?.phase === 'Running' &&
    status.reason === 'Ready' &&
    status.observedGeneration === metadata.generation;
  const allSettled = async (): Promise<boolean> => {
    const { items } = await getJson(['sandboxes', '-n', namespace()]);
    expect(items.filter((one: Json) => one.status?.phase === 'Error')).toEqual([]);
    return items.every(settled);
  };

  it('is never a failure, and the volumes stay', async () => {
    await ok(apply(names.map((name) => minimalSandbox(name, small())).join('---'), namespace()));
    await until('all to run', allSettled);
    const volumes = await uids('pvc');
    for (let round = 0; round < 10; round++) {
      const before = await uids('pods');
      await all('stop');
      // Every other time the resume follows at once, when the operator may not even have seen the stop.
      const ending = async (): Promise<boolean> => {
        const { items } = await getJson(['pods', '-n', namespace()]);
        return items.every((one: Json) => one.metadata.deletionTimestamp !== undefined);
      };
      if (round % 2 === 1) await until(`the pods of round ${round} to be ended`, ending);
      await all('resume');
      await until(`round ${round} to run`, allSettled);
      const after = await uids('pods');
      expect(after).toHaveLength(names.length);
      if (round % 2 === 1) expect(after.filter((uid) => before.includes(uid))).toEqual([]);
    }
    const { items } = await getJson(['sandboxes', '-n', namespace()]);
    expect(items.filter((one: Json) => (one.status.restartCount ?? 0) > 0)).toEqual([]);
    const reasons = await Promise.all(names.map((name) => reasonsOf(name, namespace())));
    expect(reasons.flat()).not.toContain('Restarting');
    expect(await uids('pvc')).toEqual(volumes);
  });
});

describe('thirty sandboxes at once', () => {
  const namespace = walkNamespace('walk-thirty');
  const names = Array.from({ length: 30 }, (_, index) => `one-${index}`);

  it('all run', async () => {
    await ok(apply(names.map((name) => minimalSandbox(name, small())).join('---'), namespace()));
    await until(
      'all to run',
      async () => {
        const { items } = await getJson(['sandboxes', '-n', namespace()]);
        return items.filter((one: Json) => one.status?.phase === 'Running').length === names.length;
      },
      240_000,
    );
    const { items } = await getJson(['sandboxes', '-n', namespace()]);
    expect(items.filter((one: Json) => (one.status.restartCount ?? 0) > 0)).toEqual([]);
  });
});
