// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { Store } from '@agenttier/machinery/reflector/store';
import type { Registry } from '@agenttier/machinery/telemetry/metrics';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Tally } from './decision/actions.ts';

export interface OperatorMetrics {
  count(tally: Tally): void;
  leading(value: boolean): void;
}

const STARTUP_SECONDS = [0.005, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 120];

/** Figures of the operator beside those of queue and reflectors. Labels come from small fixed sets, never from users. */
export function createOperatorMetrics(registry: Registry, sandboxes: Store<Sandbox>): OperatorMetrics {
  const registers = [registry];
  const startup = new Histogram({
    name: 'agenttier_sandbox_startup_seconds',
    help: 'Time from the request to a running sandbox, by the way it went',
    labelNames: ['path'],
    buckets: STARTUP_SECONDS,
    registers,
  });
  const restarts = new Counter({
    name: 'agenttier_sandbox_restarts_total',
    help: 'Pods replaced after a failure, by its reason',
    labelNames: ['reason'],
    registers,
  });
  const stops = new Counter({
    name: 'agenttier_stops_total',
    help: 'Sandboxes stopped, by reason',
    labelNames: ['reason'],
    registers,
  });
  const leader = new Gauge({ name: 'agenttier_leader', help: 'Whether this replica leads', registers });
  registry.registerMetric(sandboxGauge(sandboxes));
  return {
    count(tally) {
      if (tally.metric === 'startup') startup.observe({ path: tally.path }, tally.seconds);
      else if (tally.metric === 'restart') restarts.inc({ reason: tally.reason });
      else stops.inc({ reason: tally.reason });
    },
    leading: (value) => leader.set(value ? 1 : 0),
  };
}

/** Counted when asked for: a gauge that is moved on every change drifts with the first event that is missed. */
function sandboxGauge(sandboxes: Store<Sandbox>): Gauge<'phase' | 'mode'> {
  return new Gauge({
    name: 'agenttier_sandboxes',
    help: 'Sandboxes, by phase and mode',
    labelNames: ['phase', 'mode'],
    registers: [],
    collect() {
      this.reset();
      for (const { spec, status } of sandboxes.list()) {
        this.inc({ phase: status?.phase ?? 'Pending', mode: spec?.resolved?.spec?.mode ?? 'code' });
      }
    },
  });
}
