// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { Store } from '@agenttier/machinery/reflector/store';
import { createRegistry } from '@agenttier/machinery/telemetry/metrics';
import { describe, expect, it } from 'vitest';
import { createOperatorMetrics } from './metrics.ts';
import { sandbox } from './testing/fixtures.ts';

function setUp() {
  const registry = createRegistry('operator', { processMetrics: false });
  const sandboxes = new Store<Sandbox>();
  const metrics = createOperatorMetrics(registry, sandboxes);
  return { metrics, sandboxes, page: () => registry.metrics() };
}

describe('the figures of the operator', () => {
  it('are moved by what they name', async () => {
    const { metrics, sandboxes, page } = setUp();
    metrics.count({
      metric: 'startup',
      path: 'resume',
      template: 'base',
      seconds: 0.7,
      phases: [
        ['schedule', 0.2],
        ['ready', 0.5],
      ],
    });
    metrics.count({ metric: 'restart', reason: 'OOMKilled' });
    metrics.count({ metric: 'stop', reason: 'IdleTimeout' });
    metrics.leading(true);
    metrics.delivered('delivered');
    metrics.queueSize(() => 3);
    sandboxes.applyLocal({ ...sandbox(), status: { phase: 'Running' } } as never);
    const text = await page();
    for (const line of [
      'agenttier_sandbox_startup_seconds_sum{component="operator",path="resume",template="base"} 0.7',
      'agenttier_sandbox_startup_phase_seconds_sum{component="operator",phase="schedule"} 0.2',
      'agenttier_sandbox_startup_phase_seconds_sum{component="operator",phase="ready"} 0.5',
      'agenttier_sandbox_restarts_total{reason="OOMKilled",component="operator"} 1',
      'agenttier_stops_total{reason="IdleTimeout",component="operator"} 1',
      'agenttier_webhook_deliveries_total{result="delivered",component="operator"} 1',
      'agenttier_webhook_queue{component="operator"} 3',
      'agenttier_leader{component="operator"} 1',
      'agenttier_sandboxes{phase="Running",mode="code",template="base",component="operator"} 1',
    ]) {
      expect(text).toContain(line);
    }
  });

  it('tell at most 200 templates apart, and never name a person or a sandbox', async () => {
    const { metrics, page } = setUp();
    for (let i = 0; i < 300; i++) {
      metrics.count({ metric: 'startup', path: 'cold', template: `t${i}`, seconds: 1, phases: [] });
    }
    const text = await page();
    expect(text).toContain('template="_other"');
    expect(new Set(text.match(/template="[^"]*"/g)).size).toBe(201);
    expect(text).not.toMatch(/[{,](user|owner|sub|sandbox)=/);
  });
});
