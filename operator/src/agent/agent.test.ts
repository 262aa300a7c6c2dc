// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec, SandboxStatus } from '@agenttier/crds/generated/types';
import { CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS } from '@agenttier/machinery/kube/resource';
import { DEFAULT_SETTINGS, resolve } from '@agenttier/crds/template/merge';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConfigMap } from '../core.ts';
import { runningImage } from './wish.ts';
import { template } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { Replica } from '../testing/replica.ts';
import { Scenario } from '../testing/scenario.ts';
import { endOf } from './installLog.ts';
import type { AgentNews, InstallState } from './news.ts';

const digest = (letter: string): string => `example.test/tools@sha256:${letter.repeat(64)}`;

const podWith = (imageID: string) => ({
  ...READY_POD,
  containerStatuses: READY_POD.containerStatuses?.map((one) => ({ ...one, imageID })) ?? [],
});

const AGENT = template(
  {
    mode: 'agent',
    image: { repository: 'example.test/tools' },
    harness: { agent: { entrypoint: ['run'], maxConcurrentInvokes: 3, defaultInvokeTimeout: '10m' } },
  },
  'agent',
);

let scenario: Scenario;
let operator: Replica;

const status = (): NonNullable<SandboxStatus['agentConfigure']> => scenario.status().agentConfigure ?? {};
const condition = (): string => {
  const { status: word, reason } = scenario.condition('Configured') ?? {};
  return `${word} ${reason}`;
};
const task = () => operator.told.at(-1);

async function start(agentConfig?: SandboxSpec['agentConfig'], image = digest('a')): Promise<void> {
  scenario.apply({ chain: [AGENT], ...(agentConfig ? { spec: { agentConfig } } : {}) });
  operator = scenario.operator;
  await operator.reconcile();
  scenario.cluster.setPodStatus(podWith(image));
  await operator.reconcile();
  await operator.reconcile();
}

/** The runtime says something about the last task. */
async function hear(news: Partial<AgentNews> = {}): Promise<void> {
  const { podUid = '', configHash = '', install } = task() ?? {};
  operator.notebook.peek('team/one')?.agentHeard({ podUid, configHash, installId: install?.id, ...news });
  await operator.reconcile();
}

const ended = (exitCode: number, log = 'all of it\n'): { install: InstallState } => ({
  install: { state: 'done', exitCode, log, bytesTotal: log.length, logTruncated: false },
});

const logMap = (): ConfigMap | undefined => scenario.cluster.objects<ConfigMap>(CONFIG_MAPS)[0];

function configure(agentConfig: NonNullable<SandboxSpec['agentConfig']>): Promise<unknown> {
  scenario.cluster.editSandbox((one) => {
    const { resolved: _, ...rest } = one.spec ?? {};
    const spec = { ...rest, agentConfig };
    return {
      ...one,
      spec: { ...spec, resolved: resolve(spec, [AGENT], DEFAULT_SETTINGS).resolved },
    };
  });
  return operator.reconcile();
}

/** Stops and resumes, on the same volume; the pod of the new start runs `image`. */
async function again(image: string): Promise<void> {
  scenario.desire('Stopped');
  await operator.reconcile();
  scenario.cluster.endPod();
  await operator.reconcile();
  scenario.desire('Running');
  await operator.reconcile();
  scenario.cluster.setPodStatus(podWith(image));
  await operator.reconcile();
  await operator.reconcile();
}

const INSTALL = { installCommand: ['make', 'agent'], configuredBy: 'somebody' };

beforeEach(() => {
  scenario = new Scenario();
});

describe('telling the runtime', () => {
  it('is done once per pod and configuration', async () => {
    await start();
    expect([status().state, condition()]).toEqual(['Pending', 'False Pending']);
    expect(task()?.settings).toEqual({
      entrypoint: ['run'],
      workingDir: '/workspace',
      env: {},
      maxConcurrent: 3,
      defaultTimeoutSeconds: 600,
      maxTimeoutSeconds: 0,
    });
    await hear();
    expect([status().state, condition()]).toEqual(['Ready', 'True Configured']);
    expect(status()).toMatchObject({ entrypoint: ['run'], maxConcurrentInvokes: 3, podUid: task()?.podUid });
    expect(operator.events.filter(({ reason }) => reason === 'AgentConfigured')).toHaveLength(1);
    operator.told.length = 0;
    await operator.reconcile();
    const next = new Replica(scenario.cluster);
    await next.reconcile();
    expect([...operator.told, ...next.told], 'an operator that starts anew has nothing to say').toEqual([]);
    await again(digest('a'));
    expect([status().state, task()?.install]).toEqual(['Pending', undefined]);
    await hear();
    expect(condition()).toBe('True Configured');
    expect(operator.events.filter(({ reason }) => reason === 'AgentConfigured')).toHaveLength(1);
  });

  it('says what is missing where nothing names an entrypoint', async () => {
    scenario.apply({ chain: [template({ mode: 'agent', image: { repository: 'x' } }, 'bare')] });
    operator = scenario.operator;
    await operator.reconcile();
    scenario.cluster.setPodStatus(podWith(digest('a')));
    await operator.reconcile();
    await operator.reconcile();
    await hear();
    expect(condition()).toBe('False NotConfigured');
    expect(operator.events.filter(({ reason }) => reason === 'AgentConfigured')).toEqual([]);
  });

  it('is repeated when the policy is tightened', async () => {
    await start();
    await hear();
    const spec = { maxConcurrentInvokesPerSandbox: 1, maxInvokeTimeout: '1m' };
    operator.caches.clusterPolicies.applyWatch({
      metadata: { name: 'default', uid: 'p', resourceVersion: '1' },
      spec,
    });
    await operator.reconcile();
    expect(task()?.settings).toMatchObject({
      maxConcurrent: 1,
      defaultTimeoutSeconds: 60,
      maxTimeoutSeconds: 60,
    });
    await hear();
    expect(status()).toMatchObject({ state: 'Ready', maxConcurrentInvokes: 1, maxInvokeTimeoutSeconds: 60 });
  });

  it('waits longer after each failure, and says why', async () => {
    await start();
    const fault = {
      reason: 'RuntimeUnreachable',
      message: 'no route',
      retryAt: scenario.time + 5_000,
    } as const;
    await hear({ fault });
    expect([status().state, condition()]).toEqual(['Pending', 'False RuntimeUnreachable']);
    const before = operator.told.length;
    expect(await operator.reconcile()).toBeLessThanOrEqual(5_000);
    expect(operator.told).toHaveLength(before);
    scenario.advance(5_000);
    await operator.reconcile();
    expect(operator.told).toHaveLength(before + 1);
  });
});

describe('an installation', () => {
  it('is followed to its end, and its log is kept', async () => {
    await start(INSTALL);
    expect(task()?.install).toMatchObject({ command: ['make', 'agent'], files: [] });
    await hear({ install: { ...ended(0).install, state: 'running' } });
    expect([status().state, condition()]).toEqual(['Installing', 'False Installing']);
    await hear(ended(0));
    expect(status()).toMatchObject({
      state: 'Ready',
      installExitCode: 0,
      installCommandHash: task()?.install?.id,
      installLogConfigMapRef: { name: 'one-install-log' },
      configuredBy: 'somebody',
    });
    expect(status().skipped).toBeUndefined();
    expect(logMap()).toMatchObject({
      metadata: {
        labels: { 'agenttier.io/sandbox': 'one', 'agenttier.io/kind': 'install-log' },
        ownerReferences: [{ uid: 'uid-one', controller: true }],
      },
      data: { log: 'all of it\n', logTruncated: 'false', bytesTotal: '10' },
    });
  });

  it('that failed is recorded with its log, and only tried again for a reason', async () => {
    await start(INSTALL);
    await hear(ended(7, 'boom\n'));
    expect([status().state, condition()]).toEqual(['Failed', 'False InstallFailed']);
    expect(status().installExitCode).toBe(7);
    expect(logMap()?.data?.['log']).toBe('boom\n');
    expect(operator.events.map(({ reason }) => reason)).toContain('AgentConfigureFailed');
    operator.told.length = 0;
    await operator.reconcile();
    expect(operator.told).toEqual([]);
    await configure({ ...INSTALL, hash: 'another' });
    expect(task()?.install).toBeDefined();
    await hear(ended(0, 'better\n'));
    expect([status().state, logMap()?.data?.['log']]).toEqual(['Ready', 'better\n']);
  });

  it('that failed is tried again in another pod', async () => {
    await start(INSTALL);
    await hear(ended(7));
    await again(digest('a'));
    expect(task()?.install).toBeDefined();
  });

  it('is left out where the same one went well on this image and volume, and its log stays', async () => {
    await start(INSTALL);
    await hear(ended(0, 'first\n'));
    await again(digest('a'));
    expect(task()?.install).toBeUndefined();
    await hear();
    expect(status()).toMatchObject({ state: 'Ready', skipped: true, installExitCode: 0 });
    expect(status().installLogConfigMapRef).toEqual({ name: 'one-install-log' });
    await configure({ ...INSTALL, entrypoint: ['other'] });
    expect(task()?.install, 'another entrypoint needs no installation').toBeUndefined();
    await hear();
    expect([status().entrypoint, status().skipped, logMap()?.data?.['log']]).toEqual([
      ['other'],
      true,
      'first\n',
    ]);
  });

  it('is done again on another image and on another volume', async () => {
    await start(INSTALL);
    await hear(ended(0));
    const first = status().installCommandHash;
    await again(digest('b'));
    expect(task()?.install).toBeDefined();
    await hear(ended(0));
    expect(status().installCommandHash).not.toBe(first);
    const [pvc] = scenario.cluster.objects(PERSISTENT_VOLUME_CLAIMS);
    const metadata = { ...pvc?.metadata, uid: 'another-volume' };
    operator.caches.pvcs.applyLocal({ ...pvc, metadata } as never);
    scenario.cluster.put(PERSISTENT_VOLUME_CLAIMS, { ...pvc, metadata });
    await operator.reconcile();
    expect(task()?.install).toBeDefined();
  });

  it('is found again by an operator that takes over', async () => {
    await start(INSTALL);
    const id = task()?.install?.id;
    await hear({ install: { ...ended(0).install, state: 'running' } });
    operator = new Replica(scenario.cluster);
    await operator.reconcile();
    expect(task()?.install?.id).toBe(id);
    await hear(ended(0));
    expect(status().state).toBe('Ready');
  });

  it('whose log is stored but not its end is told once more, and stored again', async () => {
    await start(INSTALL);
    let broken = true;
    scenario.cluster.before = ({ verb, resource }) => {
      if (broken && verb === 'patch' && resource === 'sandboxes') throw new Error('gone in the middle');
    };
    await expect(hear(ended(0))).rejects.toThrow('gone in the middle');
    expect(logMap()).toBeDefined();
    broken = false;
    await operator.reconcile();
    expect([status().state, scenario.cluster.objects(CONFIG_MAPS)]).toEqual(['Ready', [logMap()]]);
  });

  it('leaves a ConfigMap of somebody else alone', async () => {
    const metadata = { name: 'one-install-log', namespace: 'team', uid: 'theirs' };
    scenario.cluster.put(CONFIG_MAPS, { metadata, data: { log: 'mine' } } as ConfigMap);
    await start(INSTALL);
    await hear(ended(0));
    expect(logMap()?.data).toEqual({ log: 'mine' });
    expect(operator.events.map(({ reason }) => reason)).toContain('InstallLogRefused');
  });

  it('waits until the kubelet names the image', async () => {
    scenario.apply({ chain: [AGENT], spec: { agentConfig: INSTALL } });
    operator = scenario.operator;
    await operator.reconcile();
    scenario.cluster.setPodStatus(READY_POD);
    await operator.reconcile();
    await operator.reconcile();
    expect([operator.told, condition()]).toEqual([[], 'False Starting']);
  });
});

describe('the parts', () => {
  it.each([
    ['short', 10, 'short'],
    ['x☃☃', 7, 'x☃☃'],
    ['x☃☃', 6, '☃☃'],
    ['x☃☃', 5, '☃'],
    ['🚀', 3, ''],
  ])('the end of %j in %i bytes is %j', (text, limit, end) => {
    expect(endOf(text, limit)).toBe(end);
  });

  it.each([
    [digest('a'), `sha256:${'a'.repeat(64)}`],
    ['docker-pullable://x:1', 'docker-pullable://x:1'],
    ['', undefined],
  ])('the image %s is %s', (imageID, known) => {
    const pod = { metadata: {}, spec: { containers: [] }, status: podWith(imageID) };
    expect(runningImage(pod)).toBe(known);
  });
});
