// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRuntime } from '../testing/fakeRuntime.ts';
import { ADMIN_KEY, ANN_KEY, Harness, keySecret } from '../testing/harness.ts';
import { TerminalClient } from '../testing/terminalClient.ts';

const START = '2026-11-24T08:00:00.000Z';
let runtime: FakeRuntime;
let harness: Harness;

beforeEach(async () => {
  runtime = await FakeRuntime.start();
  harness = await Harness.start({ runtimePort: runtime.port });
});
afterEach(async () => {
  await harness.stop();
  await runtime.close();
});

const limits = { idleTimeout: '1h', timeout: '8h' };
const resolved = { hash: 'h', compat: 'c', chain: [], origins: {}, spec: limits };
const spec = { templateRef: { name: 'shell' }, createdBy: { sub: 'ann' }, resolved };

const condition = (type: string, reason: string) =>
  ({ type, status: 'True', reason, message: `because of ${reason}`, lastTransitionTime: START }) as const;

const status = (...conditions: readonly ReturnType<typeof condition>[]): NonNullable<Sandbox['status']> => ({
  phase: 'Running',
  startedAt: START,
  conditions,
});

const open = (key = ANN_KEY): Promise<TerminalClient> =>
  TerminalClient.open(`${harness.url}/ws/terminal/box`, { key, binary: true });

describe('an open terminal is told', () => {
  it('of a stop that is near, and that use has put it off', async () => {
    const box = await harness.add({ name: 'box', spec });
    const client = await open();
    await client.frame('ready');
    const warned = harness.change(box, { status: status(condition('IdleWarning', 'IdleTimeout')) });
    expect(await client.frame('notice')).toEqual({
      type: 'notice',
      kind: 'idle_warning',
      message: 'because of IdleTimeout',
      deadline: '2026-11-24T09:00:00.000Z',
    });
    harness.change(warned, { status: status() });
    await client.framesOf('notice', 2);
    expect(client.frames.at(-1)).toMatchObject({ type: 'notice', kind: 'idle_warning_over' });
    expect(client.closed).toBeUndefined();
  });

  it('when it is opened during the warning', async () => {
    const box = await harness.add({ name: 'box', spec });
    harness.change(box, { status: status(condition('IdleWarning', 'MaxRuntime')) });
    const client = await open();
    expect(await client.frame('notice')).toMatchObject({ deadline: '2026-11-24T16:00:00.000Z' });
  });

  it.each([
    ['IdleTimeout', 'idle_timeout', 4008],
    ['MaxRuntime', 'sandbox_stopped', 4001],
  ])('why it ends when the operator stops for %s', async (reason, word, code) => {
    const box = await harness.add({ name: 'box', spec });
    const client = await open();
    await client.frame('ready');
    harness.change(box, { status: status(condition('Held', reason)) });
    expect(await client.end()).toEqual({ code, reason: word });
  });
});

describe('the key that a terminal was opened with', () => {
  const record = (expiresAt: string) => keySecret(ANN_KEY, { userId: 'ann', expiresAt });

  it('ends it when it expires, also where that was changed meanwhile', async () => {
    await harness.add({ name: 'box' });
    const [client, other] = [await open(), await open(ADMIN_KEY)];
    await client.frame('ready');
    const { apiKeys } = harness.router.stores;
    const far = record('2999-01-01T00:00:00Z');
    apiKeys.applyWatch({ ...far, metadata: { ...far.metadata, resourceVersion: '8' } });
    const past = record('2026-01-01T00:00:00Z');
    apiKeys.applyWatch({ ...past, metadata: { ...past.metadata, resourceVersion: '9' } });
    expect(await client.end()).toEqual({ code: 4003, reason: 'session_expired' });
    expect(client.frames.at(-1)).toEqual({ type: 'close', reason: 'session_expired', code: 4003 });
    expect(other.closed).toBeUndefined();
  });
});
