// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_RETRY } from '@agenttier/crds/meta/labels';
import { PODS } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import { MINUTE, SETTINGS } from '../testing/fixtures.ts';
import { Replica } from '../testing/replica.ts';
import { Scenario } from '../testing/scenario.ts';
let s: Scenario;

beforeEach(() => {
  s = new Scenario();
});

function use(): void {
  const lastActivityTimestamp = new Date(s.time).toISOString();
  s.cluster.editSandbox((one) => ({ ...one, status: { ...one.status, lastActivityTimestamp } }));
}

const told = (): string[] => s.operator.events.map(({ reason }) => reason);

describe('time limits', () => {
  it.each([
    [{ timeout: '1h' }, 60 * MINUTE, 'MaxRuntime'],
    [{ idleTimeout: '30m' }, 30 * MINUTE, 'IdleTimeout'],
    [{ timeout: '1h', idleTimeout: '2h' }, 60 * MINUTE, 'MaxRuntime'],
  ])('%j stops at the exact deadline and stays stopped', async (spec, limit, reason) => {
    await s.start({ spec });
    expect(await s.operator.reconcile()).toBe(limit - 5 * MINUTE);
    s.advance(limit - 1);
    await s.operator.reconcile();
    expect(s.status().phase).toBe('Running');
    s.advance(1);
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Stopped', reason });
    s.advance(MINUTE);
    await new Replica(s.cluster).reconcile();
    expect(s.cluster.objects(PODS)).toEqual([]);
    s.cluster.editSandbox((one) => ({ ...one, spec: { ...one.spec, autoResume: true } }));
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toEqual([]);
    s.annotate(ANNOTATION_RETRY, 'again');
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toHaveLength(1);
    expect(s.condition('Held')).toBeUndefined();
  });

  it('activity moves the idle deadline', async () => {
    await s.start({ spec: { idleTimeout: '30m' } });
    s.advance(20 * MINUTE);
    use();
    expect(await s.operator.reconcile()).toBe(25 * MINUTE);
  });

  it('a user stop and start replaces a hold', async () => {
    await s.start({ spec: { timeout: '1h' } });
    s.advance(60 * MINUTE);
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    s.desire('Stopped');
    await s.operator.reconcile();
    s.desire('Running');
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toHaveLength(1);
  });
});

describe('the grace before a stop', () => {
  it('warns once, at the exact moment, and says when it stops', async () => {
    await s.start({ spec: { idleTimeout: '30m', gracePeriod: '2m' } });
    expect(await s.operator.reconcile()).toBe(28 * MINUTE);
    expect(s.condition('IdleWarning')).toBeUndefined();
    s.advance(28 * MINUTE);
    expect(await s.operator.reconcile()).toBe(2 * MINUTE);
    const at = new Date(s.time + 2 * MINUTE).toISOString();
    expect(s.condition('IdleWarning')).toMatchObject({ status: 'True', reason: 'IdleTimeout' });
    expect(s.condition('IdleWarning')?.message).toContain(at);
    expect(s.status()).toMatchObject({ phase: 'Running', reason: 'Ready' });
    await s.operator.reconcile();
    await new Replica(s.cluster).reconcile();
    expect(told().filter((reason) => reason === 'IdleWarning')).toHaveLength(1);
    s.advance(2 * MINUTE);
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Running', reason: 'Stopping' });
    expect(s.condition('IdleWarning')).toBeUndefined();
    expect(told().at(-1)).toBe('IdleTimeout');
  });

  it('ends with use, and begins anew from there', async () => {
    await s.start({ spec: { idleTimeout: '30m' } });
    s.advance(26 * MINUTE);
    await s.operator.reconcile();
    s.advance(3 * MINUTE);
    use();
    expect(await s.operator.reconcile()).toBe(25 * MINUTE);
    expect(s.condition('IdleWarning')).toBeUndefined();
    expect(told().at(-1)).toBe('IdleWarningCancelled');
    s.advance(MINUTE);
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Running', reason: 'Ready' });
  });

  it('of the maximum run time does not end with use', async () => {
    await s.start({ spec: { timeout: '30m' } });
    s.advance(26 * MINUTE);
    use();
    expect(await s.operator.reconcile()).toBe(4 * MINUTE);
    expect(s.condition('IdleWarning')?.reason).toBe('MaxRuntime');
    s.advance(4 * MINUTE);
    use();
    await s.operator.reconcile();
    expect(s.status().reason).toBe('Stopping');
    expect(told().at(-1)).toBe('MaxRuntimeReached');
  });

  it.each([
    ['the sandbox', { spec: { idleTimeout: '30m', gracePeriod: '0' } }, SETTINGS],
    ['the installation', { spec: { idleTimeout: '30m' } }, { ...SETTINGS, gracePeriodMs: 0 }],
  ])('can be switched off by %s', async (_, options, settings) => {
    await s.start(options, settings);
    expect(await s.operator.reconcile()).toBe(30 * MINUTE);
  });
});

describe('before a warning and before the stop, the runtime is asked', () => {
  const used = (at: number) => () =>
    ({ ok: true, status: 200, body: { lastActivity: new Date(at).toISOString() } }) as const;
  const asked = (): number => s.operator.jobs.filter(({ call }) => call.path === '/activity').length;

  it('and a use that nobody wrote down counts, to the millisecond', async () => {
    await s.start({ spec: { idleTimeout: '30m' } });
    const at = s.time + 10 * MINUTE;
    s.operator.used = used(at);
    s.advance(25 * MINUTE);
    expect(await s.operator.reconcile()).toBe(10 * MINUTE);
    expect(s.condition('IdleWarning')).toBeUndefined();
    expect(s.status().lastActivityTimestamp).toBe(new Date(at).toISOString());
  });

  it('once each, and a use during the warning ends it', async () => {
    await s.start({ spec: { idleTimeout: '30m' } });
    s.advance(25 * MINUTE);
    await s.operator.reconcile();
    await s.operator.reconcile();
    expect([asked(), s.condition('IdleWarning')?.status]).toEqual([1, 'True']);
    s.advance(4 * MINUTE);
    s.operator.used = used(s.time);
    s.advance(MINUTE);
    expect(await s.operator.reconcile()).toBe(24 * MINUTE);
    expect(asked()).toBe(2);
    expect(s.condition('IdleWarning')).toBeUndefined();
    expect(s.status()).toMatchObject({ phase: 'Running', reason: 'Ready' });
  });

  it('and one that does not answer does not keep the sandbox up', async () => {
    await s.start({ spec: { idleTimeout: '30m', gracePeriod: '0' } });
    s.operator.used = undefined;
    s.advance(30 * MINUTE);
    expect(await s.operator.reconcile()).toBeGreaterThan(0);
    expect(s.status()).toMatchObject({ phase: 'Running', reason: 'Ready' });
    const id = s.operator.jobs.at(-1)?.id ?? '';
    s.operator.endJob(id, { ok: false, cause: 'unreachable', message: 'no answer' });
    await s.operator.reconcile();
    expect(s.status().reason).toBe('Stopping');
  });

  it('but not before a stop that use would not put off', async () => {
    await s.start({ spec: { timeout: '30m' } });
    s.advance(30 * MINUTE);
    await s.operator.reconcile();
    expect([asked(), s.status().reason]).toEqual([0, 'Stopping']);
  });
});
