// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ANNOTATION_RETRY } from '@agenttier/crds/meta/labels';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRuntime } from '../testing/fakeRuntime.ts';
import { BOB_KEY, Harness, keySecret } from '../testing/harness.ts';
import { refusedUpgrade, TerminalClient } from '../testing/terminalClient.ts';

let runtime: FakeRuntime;
let harness: Harness;

beforeEach(async () => {
  runtime = await FakeRuntime.start();
  harness = await Harness.start({ runtimePort: runtime.port, wakeMs: 60_000 });
});
afterEach(async () => {
  await harness.stop();
  await runtime.close();
});

type Box = Awaited<ReturnType<Harness['add']>>;
const sharing = { users: [{ identity: 'bob', level: 'collaborator' as const }] };

const add = (phase: 'Stopped' | 'Error' | 'Running', spec: Sandbox['spec'] = {}): Promise<Box> =>
  harness.add({
    name: 'box',
    phase,
    spec: { createdBy: { sub: 'ann' }, autoResume: true, desiredState: 'Stopped', sharing, ...spec },
  });
const exec = (key?: string) =>
  harness.call('POST', '/api/v1/sandboxes/box/exec', { body: { command: 'true' }, ...(key ? { key } : {}) });
const stored = (): Sandbox | undefined => harness.router.stores.sandboxes.get('default', 'box');
const asked = (): Promise<void> =>
  until(() => stored()?.metadata.annotations?.[ANNOTATION_RETRY] !== undefined, 'the start to be asked for');

/** The operator brings it up, or says why not. */
function become(box: Box, status: NonNullable<Sandbox['status']>): void {
  const now = stored() as Box;
  // The watch brings the router's own write first.
  harness.router.stores.sandboxes.applyWatch(now);
  if (status.phase === 'Running') harness.addPod(box);
  harness.change(now, { status: { ...now.status, ...status } });
}

describe('using a sandbox that is asleep', () => {
  it('starts it as the person and runs the command when it is up', async () => {
    const box = await add('Stopped');
    const answer = exec();
    await asked();
    const patch = harness.calls.find(({ method }) => method === 'patch');
    expect(patch?.given[2]).toMatchObject({
      body: { spec: { desiredState: 'Running' }, metadata: { uid: box.metadata.uid } },
    });
    expect(patch?.given[3]).toMatchObject({ impersonate: { user: 'agenttier:ann' } });
    become(box, { phase: 'Creating', reason: 'Starting' });
    become(box, { phase: 'Running', reason: 'Ready' });
    expect((await answer).status).toBe(200);
    expect(runtime.execs).toHaveLength(1);
  });

  it('opens a terminal, also where a timeout had stopped it', async () => {
    const box = await add('Stopped', { desiredState: 'Running' });
    const lastTransitionTime = '2026-11-24T08:00:00Z';
    const held = {
      type: 'Held',
      status: 'True',
      reason: 'IdleTimeout',
      message: '',
      lastTransitionTime,
    } as const;
    harness.change(box, { status: { phase: 'Running', reason: 'Stopping', conditions: [held] } });
    const opening = TerminalClient.open(`${harness.url}/ws/terminal/box`, { binary: true });
    await asked();
    become(box, { phase: 'Creating', reason: 'WaitingForPod', conditions: [] });
    become(box, { phase: 'Running', reason: 'Ready' });
    expect(await (await opening).frame('ready')).toMatchObject({ session: 'main' });
  });

  it('says why it does not start', async () => {
    const box = await add('Stopped');
    const answer = exec();
    await asked();
    become(box, { phase: 'Error', reason: 'InvalidSpec', message: 'no such image' });
    expect(await answer).toMatchObject({
      status: 409,
      body: {
        error: 'sandbox is not running',
        message: expect.stringContaining('InvalidSpec: no such image'),
      },
    });
  });

  it('has a bound, and says that it goes on', async () => {
    const quick = await Harness.start({ runtimePort: runtime.port, wakeMs: 30 });
    try {
      await quick.add({
        name: 'box',
        phase: 'Stopped',
        spec: { createdBy: { sub: 'ann' }, autoResume: true },
      });
      const answer = await quick.call('POST', '/api/v1/sandboxes/box/exec', { body: { command: 'true' } });
      expect(answer).toMatchObject({ status: 503, body: { error: 'sandbox is starting' } });
      expect(answer.headers.get('retry-after')).toBe('5');
    } finally {
      await quick.stop();
    }
  });
});

describe('no start by use', () => {
  it.each<[string, Parameters<typeof add>, string | undefined, number, RegExp]>([
    ['where the owner has not allowed it', ['Stopped', { autoResume: false }], undefined, 409, /Stopped/],
    ['of one that failed', ['Error', { desiredState: 'Running' }], undefined, 409, /Error/],
    ['by a collaborator, who may not start it', ['Stopped'], BOB_KEY, 409, /only its owner/],
  ])('%s', async (_, given, key, status, message) => {
    await add(...given);
    expect(await exec(key)).toMatchObject({ status, body: { message: expect.stringMatching(message) } });
    expect(harness.calls.filter(({ method }) => method === 'patch')).toEqual([]);
  });

  it('by a key that is for the terminal only', async () => {
    const key = 'atk_scoped-0123456789abcdefghijkl';
    const record = { userId: 'ann', sandboxId: 'box', actionGroups: ['terminal'] };
    harness.router.stores.apiKeys.applyWatch(keySecret(key, record));
    await add('Stopped');
    expect(await refusedUpgrade(`${harness.url}/ws/terminal/box`, { key })).toMatchObject({ status: 403 });
  });
});
