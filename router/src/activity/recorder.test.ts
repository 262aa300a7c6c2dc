// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ACTIVITY_INTERVAL_MS as INTERVAL_MS } from '@agenttier/crds/lifecycle/run';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { Store } from '@agenttier/machinery/reflector/store';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { MemoryApi } from '@agenttier/machinery/testing/memoryApi';
import { afterEach, describe, expect, it } from 'vitest';
import { dueAt, isDirty, isSpent } from './marks.ts';
import type { Mark } from './marks.ts';
import { ActivityRecorder } from './recorder.ts';

describe('marks', () => {
  const rows: [name: string, mark: Mark, dirty: boolean, due: number][] = [
    ['a first use', { usedAt: 5 }, true, 5],
    ['nothing new', { usedAt: 5, writtenAt: 6, writtenUse: 5 }, false, 6 + INTERVAL_MS],
    ['used again soon', { usedAt: 100, writtenAt: 6, writtenUse: 5 }, true, 6 + INTERVAL_MS],
    [
      'used again later',
      { usedAt: 6 + 2 * INTERVAL_MS, writtenAt: 6, writtenUse: 5 },
      true,
      6 + 2 * INTERVAL_MS,
    ],
  ];
  it.each(rows)('%s', (_name, mark, dirty, due) => {
    expect(isDirty(mark)).toBe(dirty);
    expect(dueAt(mark)).toBe(due);
  });

  it('are kept while they limit the next write', () => {
    const mark = { usedAt: 5, writtenAt: 6, writtenUse: 5 };
    expect(isSpent(mark, 6 + INTERVAL_MS)).toBe(false);
    expect(isSpent(mark, 7 + INTERVAL_MS)).toBe(true);
    expect(isSpent({ ...mark, usedAt: 9 }, 7 + INTERVAL_MS)).toBe(false);
  });
});

type SandboxObject = Sandbox & KubeObject;
let current: ActivityRecorder | undefined;
afterEach(() => current?.stop());

async function setUp() {
  const api = new MemoryApi();
  const sandboxes = new Store<SandboxObject>();
  let time = Date.UTC(2026, 0, 1);
  const recorder = new ActivityRecorder({ client: api, sandboxes, log: silentLogger, now: () => time });
  current = recorder;
  const box = await api.create<SandboxObject>(SANDBOXES, 'team', {
    metadata: { name: 'box', namespace: 'team' },
  });
  sandboxes.applyWatch(box);
  const written = (): string[] =>
    api.calls
      .filter(({ verb }) => verb === 'patch')
      .map(
        ({ body }) => (body as { status: { lastActivityTimestamp: string } }).status.lastActivityTimestamp,
      );
  return { recorder, api, sandboxes, box, written, pass: (ms: number) => (time += ms) };
}

describe('ActivityRecorder', () => {
  it('writes the first use, then the latest once an interval', async () => {
    const { recorder, box, written, pass } = await setUp();
    recorder.touch(box);
    await recorder.flush();
    for (let second = 0; second < 29; second++) {
      pass(1000);
      recorder.touch(box);
      await recorder.flush();
    }
    expect(written()).toEqual(['2026-01-01T00:00:00.000Z']);
    pass(1000);
    await recorder.flush();
    expect(written()).toEqual(['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:29.000Z']);
    pass(60_000);
    await recorder.flush();
    expect(written()).toHaveLength(2);
  });

  it('never sets the clock back to before what another replica saw', async () => {
    const { recorder, box, sandboxes, written } = await setUp();
    const status = { lastActivityTimestamp: '2026-01-01T00:00:05Z' };
    sandboxes.applyWatch({ ...box, status, metadata: { ...box.metadata, resourceVersion: '99' } });
    recorder.touch(box);
    await recorder.flush(true);
    expect(written()).toEqual([]);
  });

  it('says nothing about a sandbox that has gone or was made anew', async () => {
    const { recorder, api, box, sandboxes, written } = await setUp();
    recorder.touch({ ...box, metadata: { ...box.metadata, uid: 'of-before' } });
    await recorder.flush(true);
    expect(written()).toEqual([]);
    recorder.touch(box);
    await api.delete(SANDBOXES, { namespace: 'team', name: 'box' });
    await recorder.flush(true);
    expect(written()).toHaveLength(1);
    await recorder.flush(true);
    expect(written()).toHaveLength(1);
    expect(sandboxes.size).toBe(1);
  });

  it('tries again when the write failed, and at the end writes all', async () => {
    const { recorder, api, box, written, pass } = await setUp();
    api.before = (call) => {
      if (call.verb === 'patch') throw new Error('away');
    };
    recorder.touch(box);
    await recorder.flush();
    api.before = undefined;
    await recorder.flush();
    pass(1);
    recorder.touch(box);
    await recorder.flush();
    expect(written()).toHaveLength(2);
    await recorder.flush(true);
    expect(written().at(-1)).toBe('2026-01-01T00:00:00.001Z');
  });
});
