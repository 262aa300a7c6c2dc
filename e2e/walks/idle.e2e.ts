// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  kubectl,
  minimalSandbox,
  ok,
  plugin,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';
import { patch, podUid, reasonsOf, small } from './sandboxes.ts';
import { openBrowserTerminal, untilPrinted } from './terminals.ts';

describe('a sandbox with an idle timeout', () => {
  const namespace = walkNamespace('walk-idle');
  const limits = '  idleTimeout: 16s\n  gracePeriod: 6s\n  autoResume: true\n';

  it('stays up while somebody types, stops after a warning otherwise, and wakes when it is used', async () => {
    await ok(apply(minimalSandbox('idle', small('64Mi', limits)), namespace()));
    await untilPhase('idle', namespace(), 'Running');
    const terminal = await openBrowserTerminal('idle', namespace());
    await untilPrinted(terminal, /\$ /);
    const first = await podUid('idle', namespace());
    // Typing every few seconds, for longer than the timeout: what is waited for is the echo of each line.
    const end = Date.now() + 24_000;
    for (let line = 0; Date.now() < end; line++) {
      const from = terminal.printed().length;
      terminal.type(`sleep 3; echo li''ne-${line}\r`);
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
    expect(await terminal.closed).toEqual({ code: 4008, reason: 'idle_timeout' });
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
