// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { CLUSTER_GOVERNANCE_POLICIES, POLICY_NAME } from '@agenttier/crds/meta/resources';
import { type Writes, writesSince } from './audit.ts';
import type { ScaleCluster } from './cluster.ts';
import { OperatorProcess } from './operatorProcess.ts';
import type { Fleet } from './sandboxes.ts';

/** What was measured with one number of sandboxes. Times in milliseconds, memory in MiB. */
export interface Step {
  readonly sandboxes: number;
  /** Of this step's own. */
  readonly created: number;
  readonly perSecond: number;
  readonly cpuPerStart: number;
  readonly writesPerStart: number;
  readonly writes: Readonly<Record<string, number>>;
  readonly refused: number;
  readonly memoryIdle: number;
  readonly memoryPeak: number;
  readonly cpuPerEvent: number;
  readonly writesPerEvent: number;
  readonly policyEdit: { readonly cpu: number; readonly ms: number; readonly writes: number };
  readonly restart: {
    readonly ready: number;
    readonly settled: number;
    readonly cpu: number;
    readonly writes: number;
  };
}

const MIB = 1024 * 1024;
const EVENTS = 300;

export interface Bench {
  readonly cluster: ScaleCluster;
  readonly fleet: Fleet;
  readonly program: string;
  readonly logFile: string;
}

/** Brings the fleet to a size and measures there. Answers with the operator that runs afterwards: it was restarted. */
export async function measureAt(
  bench: Bench,
  operator: OperatorProcess,
  grow: { readonly from: number; readonly to: number },
): Promise<{ readonly step: Step; readonly operator: OperatorProcess }> {
  const started = await measureStarts(bench, operator, grow);
  const events = await measureEvents(bench, operator, grow.to);
  const policyEdit = await measurePolicyEdit(bench, operator);
  const memoryIdle = (await operator.idle()).memory / MIB;
  const { restart, operator: next } = await measureRestart(bench, operator, grow.to);
  const step = { sandboxes: grow.to, ...started, ...events, policyEdit, memoryIdle, restart };
  return { step, operator: next };
}

const writesOf = ({ cluster }: Bench, offset = 0): Promise<Writes> =>
  writesSince(cluster.plane.folder, offset);

async function measureStarts(bench: Bench, operator: OperatorProcess, grow: { from: number; to: number }) {
  const before = await operator.idle();
  const { end } = await writesOf(bench);
  const stop = new AbortController();
  const peak = watchMemory(operator, stop.signal);
  const created = grow.to - grow.from;
  const took = await bench.fleet.growTo(grow.to, 30_000 + created * 200).finally(() => stop.abort());
  const after = await operator.idle();
  const { total, by, refused } = await writesOf(bench, end);
  return {
    created,
    perSecond: created / (took / 1000),
    cpuPerStart: ((after.cpu - before.cpu) * 1000) / created,
    writesPerStart: total / created,
    writes: by,
    refused,
    memoryPeak: (await peak) / MIB,
  };
}

async function watchMemory(operator: OperatorProcess, signal: AbortSignal): Promise<number> {
  let peak = 0;
  while (!signal.aborted) {
    // When the bench gives up, the operator is gone; the reason is told by who gave up.
    const { memory } = await operator.figures().catch(() => ({ memory: 0 }));
    peak = Math.max(peak, memory);
    await pause(500, undefined, { signal }).catch(() => undefined);
  }
  return peak;
}

/** Events of the starts are sent at a bounded rate, minutes after the last start: until they are, writes are not of what is measured. */
async function untilTold(bench: Bench): Promise<void> {
  const deadline = performance.now() + 10 * 60_000;
  while (performance.now() < deadline) {
    const { end } = await writesOf(bench);
    await pause(3_000);
    const { by } = await writesOf(bench, end);
    if ((by['create events'] ?? 0) === 0) return;
  }
  throw new Error('the operator still sends Events ten minutes after the last start');
}

/** The operator's own work of a second without events is taken off, since it is not caused by them. */
async function measureEvents(bench: Bench, operator: OperatorProcess, size: number) {
  const count = Math.min(EVENTS, size);
  await untilTold(bench);
  const before = await operator.idle();
  const { end } = await writesOf(bench);
  await bench.fleet.touch(count, `${size}-${Date.now()}`);
  const after = await operator.idle();
  const { total } = await writesOf(bench, end);
  return { cpuPerEvent: ((after.cpu - before.cpu) * 1000) / count, writesPerEvent: total / count };
}

/** A new limit that nobody violates: every sandbox has to be held against it. */
async function measurePolicyEdit(bench: Bench, operator: OperatorProcess): Promise<Step['policyEdit']> {
  const before = await operator.idle();
  const { end } = await writesOf(bench);
  const began = performance.now();
  const body = {
    metadata: { name: POLICY_NAME },
    spec: { maxCpu: `${64 + Math.floor(Math.random() * 1e6)}` },
  };
  await bench.cluster.client.apply(CLUSTER_GOVERNANCE_POLICIES, body, {
    fieldManager: 'bench',
    force: true,
  });
  const after = await operator.idle();
  const { total } = await writesOf(bench, end);
  const rest = 1_000;
  return { cpu: (after.cpu - before.cpu) * 1000, ms: performance.now() - began - rest, writes: total };
}

async function measureRestart(bench: Bench, operator: OperatorProcess, size: number) {
  await operator.stop();
  const { end } = await writesOf(bench);
  const began = performance.now();
  const next = await OperatorProcess.start(bench.program, bench.cluster.operatorKubeconfig, bench.logFile);
  const ready = await since(began, next, async () => next.isReady());
  const settled = await since(began, next, async () => {
    const { leading, queued, reconciles } = await next.figures();
    return leading && queued === 0 && reconciles >= size;
  });
  const { cpu } = await next.idle();
  const { total } = await writesOf(bench, end);
  return { operator: next, restart: { ready, settled, cpu: cpu * 1000, writes: total } };
}

async function since(
  began: number,
  operator: OperatorProcess,
  probe: () => Promise<boolean>,
): Promise<number> {
  for (;;) {
    if (await probe()) return performance.now() - began;
    if (performance.now() - began > 120_000 || !operator.running)
      throw new Error('the operator did not come up');
    await pause(20);
  }
}
