// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { SANDBOX_WARM_POOLS } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { claimWrites } from './apiWrites.ts';
import { PhaseWatch } from './phaseWatch.ts';
import { call, exec, outOfStep, remove, type Target } from './rest.ts';
import { type Figure, figure } from './stats.ts';

const POOL = 'bench-warm';
const SIZE = 8;
const BURSTS = 5;
/** Sandboxes that are started one after another by each of the clients that ask for as many as they get. */
const CLIENTS = 4;
const EACH = 8;
const WATCHED = 'REST, Running as a watch tells it; env and a limit of its own';

type Pool = SandboxWarmPool & KubeObject;

/** What a person asks for beside the template: a claim must keep it. */
const createWarm = (target: Target, name: string): Promise<unknown> =>
  call(target, 'POST', '/sandboxes', {
    name,
    namespace: target.namespace,
    templateRef: { name: target.template, kind: 'ClusterSandboxTemplate' },
    env: [{ name: 'BENCH', value: name }],
  });

class Bench {
  readonly client: KubeClient;
  readonly target: Target;
  readonly watch: PhaseWatch;
  readonly #stamp = Date.now().toString(36);
  #count = 0;
  hits = 0;
  starts = 0;

  constructor(client: KubeClient, target: Target) {
    this.client = client;
    this.target = target;
    this.watch = new PhaseWatch(client, target.namespace);
  }

  name(): string {
    this.#count += 1;
    return `warm-${this.#stamp}-${this.#count}`;
  }

  async claimed(): Promise<number> {
    const key = { namespace: this.target.namespace, name: POOL };
    return (await this.client.get<Pool>(SANDBOX_WARM_POOLS, key)).status?.claimedTotal ?? 0;
  }

  /** Until the pool is full, as its status says once it has counted `claims` in all. */
  async fill(claims = 0): Promise<void> {
    for (;;) {
      const pool = await this.client.get<Pool>(SANDBOX_WARM_POOLS, {
        namespace: this.target.namespace,
        name: POOL,
      });
      if ((pool.status?.free ?? 0) >= SIZE && (pool.status?.claimedTotal ?? 0) >= claims) return;
      await pause(5);
    }
  }

  async removeAll(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => remove(this.target, name)));
  }

  /** Milliseconds from the request to Running, and the sandbox. */
  async start(): Promise<{ name: string; ms: number; began: number }> {
    const name = this.name();
    const began = performance.now();
    const [seen] = await Promise.all([this.watch.running(name), createWarm(this.target, name)]);
    this.starts += 1;
    if (seen.path === 'warm') this.hits += 1;
    return { name, ms: seen.at - began, began };
  }
}

/** One after another with the pool full: every one must get a slot. */
async function sequential(bench: Bench, rounds: number): Promise<Figure[]> {
  const running: number[] = [];
  const answered: number[] = [];
  const made: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await bench.fill();
    await outOfStep();
    const { name, ms, began } = await bench.start();
    running.push(ms);
    await exec(bench.target, name);
    answered.push(performance.now() - began);
    made.push(name);
    if (made.length >= SIZE) await bench.removeAll(made.splice(0));
  }
  await bench.removeAll(made);
  return [
    figure('warm create → Running', running, WATCHED),
    figure('warm create → first exec answered', answered, WATCHED),
  ];
}

/** Nothing is used or deleted while it counts: that would be writes of another matter. */
async function writesOf(bench: Bench): Promise<Figure> {
  const counts: number[] = [];
  const made: string[] = [];
  for (let round = 0; round < SIZE; round += 1) {
    await bench.fill();
    const claims = await bench.claimed();
    const before = await claimWrites(bench.client);
    made.push((await bench.start()).name);
    await bench.fill(claims + 1);
    counts.push((await claimWrites(bench.client)) - before);
  }
  await bench.removeAll(made);
  return figure('API writes of a claim', counts, "the API server's own count, with the event", 'writes');
}

/** As many at once as there are slots, and the time until the pool is full again. */
async function bursts(bench: Bench): Promise<Figure[]> {
  const all: number[] = [];
  const refills: number[] = [];
  for (let burst = 0; burst < BURSTS; burst += 1) {
    await bench.fill();
    await outOfStep();
    const claims = await bench.claimed();
    const began = performance.now();
    const started = await Promise.all(Array.from({ length: SIZE }, () => bench.start()));
    all.push(performance.now() - began);
    await bench.fill(claims + SIZE);
    refills.push(performance.now() - began);
    await bench.removeAll(started.map(({ name }) => name));
  }
  return [
    figure(`${SIZE} warm creates at once → all Running`, all, WATCHED),
    figure(`pool of ${SIZE} full again after such a burst`, refills, 'status.free, asked for each 5 ms'),
  ];
}

/**
 * Clients that start sandboxes as fast as they can, the pool refilling as fast as it can. Each gives its sandbox back at
 * once: a small node would be full otherwise.
 */
async function sustained(bench: Bench): Promise<Figure[]> {
  await bench.fill();
  const hits = bench.hits;
  const began = performance.now();
  const removals: Promise<void>[] = [];
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let i = 0; i < EACH; i += 1) {
        const { name } = await bench.start();
        removals.push(remove(bench.target, name));
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(removals);
  const method = `${CLIENTS} clients, ${CLIENTS * EACH} starts, pool of ${SIZE}, ${bench.hits - hits} of them warm`;
  return [figure('starts per second, sustained', [(CLIENTS * EACH) / seconds], method, '/s')];
}

/** The figures of warm pools, in a pool of their own. */
export async function measureWarm(
  client: KubeClient,
  target: Target,
  rounds: number,
  figures: Figure[],
): Promise<void> {
  const { namespace, template } = target;
  const templateRef = { kind: 'ClusterSandboxTemplate', name: template };
  const spec = { templateRef, replicas: SIZE, refill: { concurrency: SIZE } };
  await client.create(SANDBOX_WARM_POOLS, namespace, { metadata: { name: POOL }, spec } as KubeObject);
  const bench = new Bench(client, target);
  try {
    figures.push(...(await sequential(bench, rounds)));
    figures.push(await writesOf(bench));
    const share = figure(
      'starts with a free slot that were warm',
      [(100 * bench.hits) / bench.starts],
      'status.startup.path',
      '%',
    );
    figures.push(share, ...(await bursts(bench)));
    figures.push(...(await sustained(bench)));
  } finally {
    await client.delete(SANDBOX_WARM_POOLS, { namespace, name: POOL });
    await bench.watch.close();
  }
}
