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
  rest,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';
import { openBrowserTerminal, untilPrinted } from './terminals.ts';

const small = (memory = '64Mi', extra = ''): string =>
  `  resources:\n    requests: { cpu: 5m, memory: 16Mi }\n    limits: { memory: ${memory} }\n${extra}`;

/** Events about a sandbox, oldest first. */
async function eventsOf(name: string, namespace: string): Promise<Json[]> {
  const { items } = await getJson(['events.events.k8s.io', '-n', namespace]);
  return items.filter((one: Json) => one.regarding?.name === name);
}
const reasonsOf = async (name: string, namespace: string): Promise<string[]> =>
  (await eventsOf(name, namespace)).map(({ reason }) => reason);

const patch = (name: string, namespace: string, body: object) =>
  ok(kubectl(['patch', 'sandbox', name, '-n', namespace, '--type=merge', '-p', JSON.stringify(body)]));

const podUid = async (name: string, namespace: string): Promise<string> =>
  (await getJson(['pod', `${name}-pod`, '-n', namespace])).metadata.uid;

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

  it('is never a failure, and the files stay', async () => {
    await ok(apply(minimalSandbox('again', small()), namespace()));
    await untilPhase('again', namespace(), 'Running');
    const { uid } = (await getJson(['pvc', 'again-workspace', '-n', namespace()])).metadata;
    for (let round = 0; round < 50; round++) {
      const old = await podUid('again', namespace());
      const at = '/sandboxes/again';
      expect(await rest('POST', `${at}/stop?namespace=${namespace()}`)).toMatchObject({ status: 200 });
      expect(await rest('POST', `${at}/resume?namespace=${namespace()}`)).toMatchObject({ status: 200 });
      await until(`round ${round} to run`, async () => {
        const { status } = await getJson(['sandbox', 'again', '-n', namespace()]);
        expect(status.phase).not.toBe('Error');
        return (
          status.phase === 'Running' &&
          status.reason === 'Ready' &&
          (await podUid('again', namespace())) !== old
        );
      });
    }
    const { status } = await getJson(['sandbox', 'again', '-n', namespace()]);
    expect(status.restartCount ?? 0).toBe(0);
    expect(await reasonsOf('again', namespace())).not.toContain('Restarting');
    expect((await getJson(['pvc', 'again-workspace', '-n', namespace()])).metadata.uid).toBe(uid);
  });
});

describe('a sandbox with an idle timeout', () => {
  const namespace = walkNamespace('walk-idle');
  const limits = '  idleTimeout: 24s\n  gracePeriod: 10s\n  autoResume: true\n';

  it('stays up while somebody types, stops after a warning otherwise, and wakes when it is used', async () => {
    await ok(apply(minimalSandbox('idle', small('64Mi', limits)), namespace()));
    await untilPhase('idle', namespace(), 'Running');
    const terminal = await openBrowserTerminal('idle', namespace());
    await untilPrinted(terminal, /\$ /);
    const first = await podUid('idle', namespace());
    // Typing every few seconds, for longer than the timeout: what is waited for is the echo of each line.
    const end = Date.now() + 40_000;
    for (let line = 0; Date.now() < end; line++) {
      const from = terminal.printed().length;
      terminal.type(`sleep 4; echo li''ne-${line}\r`);
      await untilPrinted(terminal, new RegExp(`line-${line}\r`), from);
    }
    expect((await getJson(['sandbox', 'idle', '-n', namespace()])).status).toMatchObject({
      phase: 'Running',
    });
    expect(await podUid('idle', namespace())).toBe(first);
    await until('the warning', async () => (await reasonsOf('idle', namespace())).includes('IdleWarning'));
    const { status } = await untilPhase('idle', namespace(), 'Stopped');
    expect(status.reason).toBe('IdleTimeout');
    await until('the terminal to be told', async () =>
      terminal.notices().some(({ kind }) => kind === 'idle_warning'),
    );
    expect(await terminal.closed).toEqual({ code: 4001, reason: 'idle_timeout' });
    expect(await ok(inSandbox('idle', namespace(), 'echo awake'))).toBe('awake\n');
    expect(await podUid('idle', namespace())).not.toBe(first);
    expect(await reasonsOf('idle', namespace())).toContain('IdleTimeout');
  });

  it('counts entering it by kubectl as use', async () => {
    await untilPhase('idle', namespace(), 'Running');
    const used = async (): Promise<number> =>
      Date.parse(
        (await getJson(['sandbox', 'idle', '-n', namespace()])).status.lastActivityTimestamp ?? '',
      ) || 0;
    const before = await used();
    await until('the use to be written down', async () => {
      await ok(kubectl(['exec', '-n', namespace(), 'idle-pod', '--', 'true']));
      return (await used()) > before;
    });
  });
});

describe('without a router', () => {
  const namespace = walkNamespace('walk-wake');

  it('the plugin wakes a sandbox, too, and says so', async () => {
    const stopped = '  autoResume: true\n  desiredState: Stopped\n';
    await ok(apply(minimalSandbox('asleep', small('64Mi', stopped)), namespace()));
    await untilPhase('asleep', namespace(), 'Stopped');
    const outcome = await plugin(
      ['exec', '--via', 'kubernetes', '-n', namespace(), 'asleep', '--', 'echo', 'awake'],
      {},
    );
    expect(outcome).toMatchObject({ code: 0, stdout: 'awake\n' });
    expect(outcome.stderr).toContain('sandbox asleep is stopped; starting it');
  });

  it('CPU and memory change in place', async () => {
    await untilPhase('asleep', namespace(), 'Running');
    const uid = await podUid('asleep', namespace());
    await patch('asleep', namespace(), { spec: { resources: { limits: { memory: '96Mi' } } } });
    await until('the node to have done it', async () => {
      const pod = await getJson(['pod', 'asleep-pod', '-n', namespace()]);
      return pod.status.containerStatuses[0].resources?.limits?.memory === '96Mi';
    });
    await until('the event', async () => (await reasonsOf('asleep', namespace())).includes('Resized'));
    expect(await podUid('asleep', namespace())).toBe(uid);
  });
});

describe('thirty sandboxes at once', () => {
  const namespace = walkNamespace('walk-thirty');

  it('all run', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `one-${index}`);
    const yaml = names.map((name) => minimalSandbox(name, small())).join('---');
    await ok(apply(yaml, namespace()));
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
