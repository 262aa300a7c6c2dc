// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { PERSISTENT_VOLUME_CLAIMS, PODS } from '@agenttier/machinery/kube/resource';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusal } from '../testing/cluster.ts';
import { converge } from '../testing/converge.ts';
import { MINUTE } from '../testing/fixtures.ts';
import { exitedPod, FAILED_POD, READY_POD } from '../testing/pods.ts';
import { Replica } from '../testing/replica.ts';
import { Scenario } from '../testing/scenario.ts';

const gone = refusal(0, 'NetworkError', 'the process is dead');

interface Story {
  /** Brings the scenario to the point before the decision. */
  readonly before: (s: Scenario) => Promise<void>;
  /** Where it must end, whoever finishes it. */
  readonly end: (s: Scenario) => void;
}

const running = (restarts: number | undefined) => (s: Scenario) => {
  expect(s.status()).toMatchObject({ phase: 'Running', pvcName: 'one-workspace' });
  expect(s.status().restartCount).toBe(restarts);
  expect(s.cluster.objects(PODS)).toHaveLength(1);
};

const down = (phase: string, reason: string) => (s: Scenario) => {
  expect(s.status()).toMatchObject({ phase, reason });
  expect(s.cluster.objects(PODS)).toEqual([]);
  expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toHaveLength(1);
};

const STORIES: Readonly<Record<string, Story>> = {
  create: { before: async (s) => s.apply(), end: running(undefined) },
  stop: {
    before: async (s) => {
      await s.start();
      s.desire('Stopped');
    },
    end: down('Stopped', 'UserRequested'),
  },
  resume: {
    before: async (s) => {
      await s.start();
      s.desire('Stopped');
      await converge(s, s.operator);
      s.desire('Running');
    },
    end: running(undefined),
  },
  'quick stop and resume': {
    before: async (s) => {
      await s.start();
      s.desire('Stopped');
      await s.operator.reconcile();
      s.desire('Running');
    },
    end: running(undefined),
  },
  'out of memory': {
    before: async (s) => {
      await s.start();
      s.cluster.setPodStatus(FAILED_POD.oom);
    },
    end: running(1),
  },
  'time limit': {
    before: async (s) => {
      await s.start({ spec: { timeout: '1h' } });
      s.advance(60 * MINUTE);
    },
    end: down('Stopped', 'MaxRuntime'),
  },
  'failed program': {
    before: async (s) => {
      await s.start();
      s.cluster.setPodStatus(exitedPod(3));
    },
    end: down('Error', 'ApplicationError'),
  },
  delete: {
    before: async (s) => {
      await s.start();
      await s.cluster.client.delete(SANDBOXES, { namespace: 'team', name: 'one' });
    },
    end: (s) => {
      expect(s.cluster.objects(SANDBOXES)).toEqual([]);
      expect(s.cluster.objects(PODS)).toEqual([]);
      expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)).toEqual([]);
    },
  },
};

describe.each(Object.entries(STORIES))('%s', (_name, story) => {
  /** The first operator dies at its call number `at`: before it reaches the API server, or before the answer is back. */
  it.each(['before', 'after'] as const)(
    'finished by another operator when the first dies %s any call',
    async (moment) => {
      for (let at = 0; at < 30; at++) {
        const s = new Scenario();
        await story.before(s);
        const first = s.operator;
        let calls = 0;
        s.cluster[moment] = () => {
          if (calls++ >= at) throw gone;
        };
        let died = false;
        await converge(s, first).catch(() => {
          died = true;
        });
        s.cluster[moment] = undefined;
        await converge(s, new Replica(s.cluster));
        story.end(s);
        if (!died) return;
      }
      throw new Error('the story never ran to its end');
    },
  );

  it('ends the same when every call fails at first', async () => {
    const s = new Scenario();
    await story.before(s);
    const failed = new Set<string>();
    s.cluster.before = ({ verb, resource, name }) => {
      const call = `${verb} ${resource} ${name}`;
      if (failed.has(call)) return;
      failed.add(call);
      throw refusal(503, 'ServiceUnavailable', 'busy');
    };
    await converge(s, s.operator);
    s.cluster.before = undefined;
    story.end(s);
  });

  it('ends the same with a second operator that acts on an outdated cache', async () => {
    const s = new Scenario();
    await story.before(s);
    const late = new Replica(s.cluster);
    late.deafen();
    await converge(s, s.operator);
    for (let round = 0; round < 3; round++) await late.settle().catch(() => undefined);
    late.hear();
    await converge(s, s.operator);
    story.end(s);
  });
});

type Step =
  | 'first'
  | 'second'
  | 'deafen first'
  | 'deafen second'
  | 'hear'
  | 'ready'
  | 'fail'
  | 'end pod'
  | 'delete pod'
  | 'stop'
  | 'resume'
  | 'wait'
  | 'new process';

const STEPS: readonly Step[] = [
  'first',
  'second',
  'deafen first',
  'deafen second',
  'hear',
  'ready',
  'fail',
  'end pod',
  'delete pod',
  'stop',
  'resume',
  'wait',
  'new process',
];

class World {
  readonly s = new Scenario();
  first: Replica;
  readonly second: Replica;

  constructor() {
    this.s.apply();
    this.first = new Replica(this.s.cluster);
    this.second = new Replica(this.s.cluster);
  }

  async take(step: Step): Promise<void> {
    const { s, first, second } = this;
    const pod = s.cluster.pod();
    const actions: Readonly<Record<Step, () => unknown>> = {
      first: () => first.settle().catch(() => undefined),
      second: () => second.settle().catch(() => undefined),
      'deafen first': () => first.deafen(),
      'deafen second': () => second.deafen(),
      hear: () => {
        first.hear();
        second.hear();
      },
      ready: () => pod?.metadata.deletionTimestamp === undefined && s.cluster.setPodStatus(READY_POD),
      fail: () => s.cluster.setPodStatus(FAILED_POD.drained),
      'end pod': () => pod?.metadata.deletionTimestamp !== undefined && s.cluster.endPod(),
      'delete pod': () => pod && s.cluster.client.delete(PODS, { namespace: 'team', name: 'one-pod' }),
      stop: () => s.desire('Stopped'),
      resume: () => s.desire('Running'),
      wait: () => s.advance(20_000),
      'new process': () => {
        this.first = new Replica(s.cluster);
      },
    };
    await actions[step]();
  }
}

describe('any order of events, with two operators and late caches', () => {
  it('never has two pods or another volume, and ends up as the user wants, with nothing left to do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { maxLength: 40 }), async (steps) => {
        const world = new World();
        const volumes = new Set<string | undefined>();
        for (const step of steps) {
          await world.take(step);
          expect(world.s.cluster.objects(PODS).length).toBeLessThanOrEqual(1);
          for (const volume of world.s.cluster.objects(PERSISTENT_VOLUME_CLAIMS))
            volumes.add(volume.metadata.uid);
        }
        await world.take('hear');
        if (world.s.cluster.pod()?.status?.phase === 'Pending') await world.take('ready');
        await converge(world.s, world.first);
        const wanted = world.s.cluster.sandbox().spec?.desiredState;
        const phase = world.s.status().phase ?? '';
        // Whoever deletes pods often enough uses the budget of restarts up.
        expect(wanted === 'Stopped' ? ['Stopped'] : ['Running', 'Error']).toContain(phase);
        expect(volumes.size).toBeLessThanOrEqual(1);
        const calls = world.s.cluster.calls.length;
        await world.first.reconcile();
        await world.second.reconcile();
        expect(world.s.cluster.calls.length).toBe(calls);
      }),
      { numRuns: 300 },
    );
  });
});
