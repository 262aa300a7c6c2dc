// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Step } from './measure.ts';
import { section, slope } from './report.ts';

const step = (sandboxes: number, memoryIdle: number): Step => ({
  sandboxes,
  created: sandboxes,
  perSecond: 20,
  cpuPerStart: 8,
  writesPerStart: 7,
  writes: { 'create pods': sandboxes, 'patch sandboxes/status': 2 * sandboxes },
  refused: 0,
  memoryIdle,
  memoryPeak: memoryIdle + 10,
  cpuPerEvent: 1,
  writesPerEvent: 0,
  policyEdit: { cpu: 10, ms: 20, writes: 1 },
  restart: { ready: 500, settled: 900, cpu: 400, writes: 2 },
});

describe('the report of the scale bench', () => {
  const steps = [step(100, 80), step(1100, 90)];

  it('has a column a size, and slopes between the first and the last', () => {
    const machine = { cpus: 2, loadBefore: 0.1, node: 'v24' };
    const text = section({ at: '2026-11-24T00:00:00Z', machine, steps });
    expect(text).toContain('| Sandboxes | 100 | 1,100 |');
    expect(text).toContain('| operator memory at rest | 80 MiB | 90 MiB |');
    expect(text).toContain('patch sandboxes/status 2.00, create pods 1.00');
    expect(text).toContain('memory at rest: 10.2 KiB');
  });

  it('has no slope of one size', () => {
    expect(slope([step(100, 80)], ({ memoryIdle }) => memoryIdle)).toBeUndefined();
    expect(slope(steps, ({ memoryIdle }) => memoryIdle)).toBeCloseTo(0.01);
  });
});
