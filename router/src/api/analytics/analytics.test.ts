// SPDX-License-Identifier: Apache-2.0
import { PERSISTENT_VOLUME_CLAIMS, PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, Harness } from '../../testing/harness.ts';
import { csvOf } from './csv.ts';
import { readRates } from './rates.ts';
import { usageOf } from './usage.ts';

const RATES = { currency: 'EUR', cpuHour: 0.1, memoryGiBHour: 0.01, storageGiBMonth: 0.073 };
const HOUR = 3_600_000;

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start({ costs: RATES });
});
afterEach(() => harness.stop());

const call = (path: string, key = ADMIN_KEY) => harness.call('GET', `/api/v1/analytics${path}`, { key });

const labelled = (uid: string, more: object = {}) => ({
  'app.kubernetes.io/component': 'sandbox',
  'agenttier.io/sandbox-uid': uid,
  ...more,
});

const pod = (name: string, labels: object) =>
  harness.api.create(PODS, 'default', {
    metadata: { name, namespace: 'default', labels },
    spec: {
      nodeName: 'one',
      containers: [
        { resources: { requests: { cpu: '1', memory: '2Gi' } } },
        { resources: { requests: { cpu: '1' } } },
      ],
    },
    status: { phase: 'Running' },
  } as KubeObject);

const claim = (name: string, uid: string, storage: string) =>
  harness.api.create(PERSISTENT_VOLUME_CLAIMS, 'default', {
    metadata: { name, namespace: 'default', labels: labelled(uid) },
    spec: { resources: { requests: { storage: '1Gi' } } },
    status: { capacity: { storage } },
  } as KubeObject);

describe('costs', () => {
  it('are nothing, with lists, when there is nothing', async () => {
    expect((await call('/costs')).body).toEqual({
      currency: 'EUR',
      rates: { cpu_hour: 0.1, memory_gib_hour: 0.01, storage_gib_month: 0.073 },
      running_sandboxes: 0,
      stopped_sandboxes: 0,
      total_hourly_compute: 0,
      total_hourly_storage: 0,
      total_estimated_monthly: 0,
      total_cost_to_date: 0,
      per_template: [],
      per_user: [],
      per_namespace: [],
    });
  });

  it('come from what pods ask for and volumes have, at the rates of the chart', async () => {
    const running = await harness.add({ name: 'on', pod: false });
    const stopped = await harness.add({ name: 'off', phase: 'Stopped', owner: 'bob' });
    await pod('on-pod', labelled(running.metadata.uid ?? ''));
    await pod('slot', labelled('', { 'agenttier.io/slot-state': 'open' }));
    await claim('on-workspace', running.metadata.uid ?? '', '10Gi');
    await claim('off-workspace', stopped.metadata.uid ?? '', '20Gi');
    const { body } = await call('/costs');
    // Two CPUs and 2 GiB of the one that runs; a GiB of volume costs a ten-thousandth an hour.
    expect(body).toMatchObject({
      running_sandboxes: 1,
      stopped_sandboxes: 1,
      total_hourly_compute: 0.22,
      total_hourly_storage: 0.003,
      total_estimated_monthly: 162.79,
      per_template: [{ template: 'shell', hourly_cost: 0.223, count: 2 }],
      per_user: [
        { user: 'ann', hourly_cost: 0.221, count: 1 },
        { user: 'bob', hourly_cost: 0.002, count: 1 },
      ],
      per_namespace: [{ namespace: 'default', count: 2 }],
    });
    expect((await call('/costs?namespace=other')).body.per_template).toEqual([]);
  });

  it('count the hours that were run, of earlier runs and of this one, and all for storage', async () => {
    const sandbox = await harness.add({ name: 'on', pod: false });
    await pod('on-pod', labelled(sandbox.metadata.uid ?? ''));
    await claim('on-workspace', sandbox.metadata.uid ?? '', '10Gi');
    const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();
    harness.change(sandbox, {
      metadata: { ...sandbox.metadata, creationTimestamp: ago(100) },
      status: { phase: 'Running', startedAt: ago(2), runSeconds: 3 * 3600 },
    });
    const csv = await call('/costs.csv');
    const [names = '', line = ''] = csv.body.split('\r\n');
    const row = Object.fromEntries(
      names.split(',').map((name: string, i: number) => [name, line.split(',')[i]]),
    );
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(row).toMatchObject({ sandbox: 'on', user: 'ann', running: 'true', cpu: '2', storage_gib: '10' });
    expect(Number(row['hours_run'])).toBeCloseTo(5, 2);
    expect(Number(row['cost_to_date'])).toBeCloseTo(5 * 0.22 + 100 * 0.001, 2);
  });

  it('are for administrators', async () => {
    for (const path of ['/costs', '/costs.csv', '/usage']) {
      expect((await call(path, ANN_KEY)).status).toBe(403);
    }
  });
});

describe('the table', () => {
  it('quotes what has to be, and makes no formulas', () => {
    const rows = [{ name: '=HYPERLINK("x")', note: 'a, b', n: -1 }];
    expect(csvOf(['name', 'note', 'n'], rows)).toBe(`name,note,n\r\n"'=HYPERLINK(""x"")","a, b",-1\r\n`);
  });
});

describe('rates', () => {
  it('are read, with defaults, and must be prices', () => {
    const problems: string[] = [];
    expect(readRates({ AGENTTIER_COST_CPU_HOUR: '0.5' }, problems)).toEqual({
      currency: 'USD',
      cpuHour: 0.5,
      memoryGiBHour: 0.005,
      storageGiBMonth: 0.1,
    });
    readRates({ AGENTTIER_COST_CPU_HOUR: '-1', AGENTTIER_COST_CURRENCY: 'euro' }, problems);
    expect(problems).toHaveLength(2);
  });
});

describe('usage', () => {
  const started = (path: 'warm' | 'cold' | 'resume', totalMs: number, pull = 0) => ({
    metadata: { name: 'x' },
    spec: { templateRef: { name: 'shell' } },
    status: { phase: 'Running' as const, startup: { path, totalMs, phases: { pull } } },
  });

  it('tells first starts by path and phase, and leaves resumes out of the average', () => {
    const sandboxes = [
      started('warm', 40),
      started('cold', 1000, 600),
      started('cold', 3000, 100),
      started('resume', 9000),
    ];
    expect(usageOf(sandboxes)).toMatchObject({
      total_sandboxes: 4,
      status_breakdown: { Running: 4 },
      template_breakdown: { shell: 4 },
      avg_startup_ms: 1347,
      startup_sample_count: 3,
      startup: {
        warm: { count: 1, p50_ms: 40 },
        cold: {
          count: 2,
          p50_ms: 1000,
          p95_ms: 3000,
          phases: { pull: { count: 2, p50_ms: 100, p95_ms: 600 } },
        },
        resume: { count: 1, p50_ms: 9000 },
      },
    });
  });

  it('has all its members when there is nothing', async () => {
    expect((await call('/usage')).body).toMatchObject({
      total_sandboxes: 0,
      status_breakdown: {},
      template_breakdown: {},
      avg_startup_ms: 0,
      startup_sample_count: 0,
    });
  });
});
