// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import type { RuntimeAnswer } from '../runtime/client.ts';
import { MINUTE, template } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { Replica } from '../testing/replica.ts';
import { Scenario } from '../testing/scenario.ts';

const HOOKS = { onStart: 'echo start', onResume: 'echo resume', onStop: 'echo stop' };

const chain = [
  template({ image: { repository: 'example.test/tools' }, harness: { hooks: HOOKS } }, 'hooked'),
];

const ended = (exitCode: number, stderr = ''): RuntimeAnswer<unknown> => ({
  ok: true,
  status: 200,
  body: { exitCode, timedOut: false, durationMs: 5, stdout: '', stderr },
});

describe('hooks', () => {
  let scene: Scenario;
  const paths = (): string[] => scene.operator.jobs.map(({ call }) => call.path);
  const hooks = (): NonNullable<SandboxStatus['harness']>['hooks'] => scene.status().harness?.hooks;

  /** The runtime answers the last job that was started, and the operator looks again. */
  async function answer(reply: RuntimeAnswer<unknown>): Promise<void> {
    scene.operator.endJob(scene.operator.jobs.at(-1)?.id ?? '', reply);
    await scene.operator.reconcile();
  }

  async function stopAndAnswer(): Promise<void> {
    scene.desire('Stopped');
    await scene.operator.reconcile();
    await answer(ended(0));
    scene.cluster.endPod();
    await scene.operator.reconcile();
  }

  beforeEach(async () => {
    scene = new Scenario();
    await scene.start({ chain });
    await scene.operator.reconcile();
  });

  it('runs onStart once Running is said, with its text, and records that it worked', async () => {
    expect(paths()[0]).toBe('/hooks/onStart');
    expect(scene.operator.jobs[0]?.call.body).toMatchObject({ script: 'echo start', timeoutSeconds: 60 });
    await answer(ended(0));
    expect(hooks()).toMatchObject([{ name: 'onStart', succeeded: true }]);
    const asked = paths().length;
    await scene.operator.reconcile();
    expect(paths()).toHaveLength(asked);
    expect(scene.operator.events.some(({ reason }) => reason === 'HookFailed')).toBe(false);
  });

  it('says what went wrong in one event, and stays Running', async () => {
    await answer(ended(3, 'no such file\n'));
    await scene.operator.reconcile();
    const failures = scene.operator.events.filter(({ reason }) => reason === 'HookFailed');
    expect(failures).toEqual([
      { type: 'Warning', reason: 'HookFailed', note: 'onStart ended with exit code 3: no such file' },
    ]);
    expect(scene.status().phase).toBe('Running');
  });

  it('is asked for again by a new leader under the same id, and not once it is recorded', async () => {
    const [first] = scene.operator.jobs;
    const second = new Replica(scene.cluster);
    await second.reconcile();
    expect(second.jobs.map(({ id }) => id)).toEqual([first?.id]);
    await answer(ended(0));
    const third = new Replica(scene.cluster);
    await third.reconcile();
    expect(third.jobs).toEqual([]);
  });

  it('deletes the pod only after onStop, and runs onResume in the next one', async () => {
    await answer(ended(0));
    scene.desire('Stopped');
    await scene.operator.reconcile();
    expect(paths().at(-1)).toBe('/hooks/onStop');
    expect(scene.cluster.pod()?.metadata.deletionTimestamp).toBeUndefined();
    expect(scene.status().reason).toBe('Stopping');
    await answer(ended(0));
    expect(scene.cluster.pod()?.metadata.deletionTimestamp).toBeDefined();
    scene.cluster.endPod();
    await scene.operator.reconcile();
    expect(scene.status().phase).toBe('Stopped');
    scene.desire('Running');
    await scene.operator.reconcile();
    scene.cluster.setPodStatus(READY_POD);
    await scene.operator.reconcile();
    await scene.operator.reconcile();
    expect(paths().at(-1)).toBe('/hooks/onResume');
  });

  it('stops all the same when onStop fails or the runtime is gone', async () => {
    scene.desire('Stopped');
    await scene.operator.reconcile();
    await answer({ ok: false, cause: 'unreachable', message: 'connect ECONNREFUSED' });
    expect(scene.cluster.pod()?.metadata.deletionTimestamp).toBeDefined();
    expect(scene.operator.events.at(-1)).toMatchObject({
      reason: 'HookFailed',
      note: 'onStop could not be run: connect ECONNREFUSED',
    });
  });

  it('takes a stop back that is still at its hook: the pod stays, and onResume runs in it', async () => {
    await answer(ended(0));
    scene.desire('Stopped');
    await scene.operator.reconcile();
    scene.advance(1_000);
    scene.desire('Running');
    await scene.operator.reconcile();
    await scene.operator.reconcile();
    expect(scene.status()).toMatchObject({ phase: 'Running', reason: 'Ready' });
    expect(scene.status().startedAt).toBeDefined();
    expect(scene.cluster.pod()?.metadata.deletionTimestamp).toBeUndefined();
    expect(paths().at(-1)).toBe('/hooks/onResume');
    // The next stop has a hook of its own, although one has run in this pod.
    scene.operator.endJob(scene.operator.jobs.at(-1)?.id ?? '', ended(0));
    await scene.operator.reconcile();
    await stopAndAnswer();
    expect(scene.status().phase).toBe('Stopped');
  });

  it('gives a sandbox that is deleted five seconds for onStop', async () => {
    scene.cluster.editSandbox((one) => ({
      ...one,
      metadata: { ...one.metadata, deletionTimestamp: new Date(scene.time).toISOString() },
    }));
    await scene.operator.reconcile();
    expect(scene.operator.jobs.at(-1)?.call.body).toMatchObject({ timeoutSeconds: 5 });
    expect(scene.cluster.pod()?.metadata.deletionTimestamp).toBeUndefined();
    await answer(ended(0));
    expect(scene.cluster.pod()?.metadata.deletionTimestamp).toBeDefined();
  });

  it('runs onIdle for each warning before an idle stop, and for none before the end of the run time', async () => {
    const hooks = { onIdle: 'echo idle' };
    const idle = [template({ image: { repository: 'example.test/tools' }, harness: { hooks } }, 'hooked')];
    for (const [spec, paths] of [
      [{ idleTimeout: '30m' }, ['/hooks/onIdle']],
      [{ timeout: '30m' }, []],
    ] as const) {
      const one = new Scenario();
      await one.start({ spec, chain: idle });
      one.advance(28 * MINUTE);
      await one.operator.reconcile();
      await one.operator.reconcile();
      expect(one.condition('IdleWarning')?.status).toBe('True');
      const hooksRun = one.operator.jobs.map(({ call }) => call.path).filter((path) => path !== '/activity');
      expect(hooksRun.slice(0, 1)).toEqual(paths);
    }
  });

  it('verifies tools after the hook, and says in a condition what was found', async () => {
    const tools = [{ name: 'git' }, { name: 'node', version: '24' }];
    const image = { repository: 'example.test/tools' };
    const one = new Scenario();
    await one.start({ chain: [template({ image, harness: { hooks: HOOKS, tools } }, 'tooled')] });
    expect(one.condition('ToolsReady')?.status).toBe('Unknown');
    await one.operator.reconcile();
    expect(one.operator.jobs.at(-1)?.call.path).toBe('/hooks/onStart');
    one.operator.endJob(one.operator.jobs.at(-1)?.id ?? '', ended(0));
    await one.operator.reconcile();
    await one.operator.reconcile();
    expect(one.operator.jobs.at(-1)?.call).toMatchObject({ path: '/tools', body: { tools } });
    const found = [
      { name: 'git', version: '2.43.0', ready: true },
      { name: 'node', version: '22.1.0', ready: false, message: 'version 24 is wanted, 22.1.0 was found' },
    ];
    one.operator.endJob(one.operator.jobs.at(-1)?.id ?? '', {
      ok: true,
      status: 200,
      body: { tools: found },
    });
    await one.operator.reconcile();
    expect(one.condition('ToolsReady')).toMatchObject({
      status: 'False',
      reason: 'ToolsMissing',
      message: 'node: version 24 is wanted, 22.1.0 was found',
    });
    expect(one.status()).toMatchObject({ phase: 'Running', harness: { tools: found } });
    const asked = one.operator.jobs.length;
    await one.operator.reconcile();
    expect(one.operator.jobs).toHaveLength(asked);
  });

  it('does not hold up a pod that somebody else ends, nor one without hooks', async () => {
    const other = new Scenario();
    await other.start();
    other.desire('Stopped');
    await other.operator.reconcile();
    expect(other.operator.jobs).toEqual([]);
    expect(other.status().harness).toBeUndefined();
    expect(other.cluster.pod()?.metadata.deletionTimestamp).toBeDefined();
  });
});
