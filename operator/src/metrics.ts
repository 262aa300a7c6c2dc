// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxWarmPool } from '@agenttier/crds/generated/types';
import type { Store } from '@agenttier/machinery/reflector/store';
import { BoundedNames } from '@agenttier/machinery/telemetry/metrics';
import type { Registry } from '@agenttier/machinery/telemetry/metrics';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Tally } from './decision/actions.ts';
import type { NotifyMetrics } from './notify/controller.ts';
import type { ClaimResult } from './warmpool/slots.ts';

export interface OperatorMetrics extends NotifyMetrics {
  count(tally: Tally): void;
  claim(pool: string, result: ClaimResult): void;
  leading(value: boolean): void;
}

const STARTUP_SECONDS = [0.005, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 120];

/** Figures of the operator beside those of queue and reflectors. Labels come from small fixed sets, never from users. */
export function createOperatorMetrics(
  registry: Registry,
  sandboxes: Store<Sandbox>,
  pools?: Store<SandboxWarmPool>,
): OperatorMetrics {
  const registers = [registry];
  const startup = startupHistograms(registers);
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
  const claims = new Counter({
    name: 'agenttier_warmpool_claims_total',
    help: 'First starts that a pool could serve, by what came of it: hit, miss, conflict',
    labelNames: ['pool', 'result'],
    registers,
  });
  registry.registerMetric(sandboxGauge(sandboxes));
  if (pools !== undefined) registry.registerMetric(slotGauge(pools));
  return {
    count(tally) {
      if (tally.metric === 'startup') startup(tally);
      else if (tally.metric === 'restart') restarts.inc({ reason: tally.reason });
      else stops.inc({ reason: tally.reason });
    },
    claim: (pool, result) => claims.inc({ pool, result }),
    leading: (value) => leader.set(value ? 1 : 0),
    ...notifyMetrics(registry),
  };
}

function startupHistograms(registers: Registry[]): (tally: Extract<Tally, { metric: 'startup' }>) => void {
  const buckets = STARTUP_SECONDS;
  const totals = new Histogram({
    name: 'agenttier_sandbox_startup_seconds',
    help: 'Time from the request to a running sandbox, by the way it went',
    labelNames: ['path', 'template'],
    buckets,
    registers,
  });
  const parts = new Histogram({
    name: 'agenttier_sandbox_startup_phase_seconds',
    help: 'Parts of that time, by phase: admit, claim, schedule, pull, init, ready, adopt',
    labelNames: ['phase'],
    buckets,
    registers,
  });
  const templates = new BoundedNames();
  return ({ path, template, seconds, phases }) => {
    totals.observe({ path, template: templates.of(template) }, seconds);
    for (const [phase, part] of phases) parts.observe({ phase }, part);
  };
}

function notifyMetrics(registry: Registry): NotifyMetrics {
  const deliveries = new Counter({
    name: 'agenttier_webhook_deliveries_total',
    help: 'Events of subscriptions: delivered, failed (one try), expired or crowded (given up)',
    labelNames: ['result'],
    registers: [registry],
  });
  const source = { read: NOTHING };
  registry.registerMetric(
    new Gauge({
      name: 'agenttier_webhook_queue',
      help: 'Events on their way to subscribers',
      registers: [],
      collect() {
        this.set(source.read());
      },
    }),
  );
  return {
    delivered: (result) => deliveries.inc({ result }),
    queueSize(read) {
      source.read = read;
    },
  };
}

const NOTHING = (): number => 0;

/** Counted when asked for: a gauge that is moved on every change drifts with the first event that is missed. */
function sandboxGauge(sandboxes: Store<Sandbox>): Gauge<'phase' | 'mode' | 'template'> {
  const templates = new BoundedNames();
  return new Gauge({
    name: 'agenttier_sandboxes',
    help: 'Sandboxes, by phase, mode and template',
    labelNames: ['phase', 'mode', 'template'],
    registers: [],
    collect() {
      this.reset();
      for (const sandbox of sandboxes.list()) {
        const phase = sandbox.status?.phase ?? 'Pending';
        this.inc({ phase, mode: modeOf(sandbox), template: templates.of(templateOf(sandbox)) });
      }
    },
  });
}

const modeOf = ({ spec }: Sandbox): string => spec?.resolved?.spec?.mode ?? 'code';

/** The template itself, not those that it inherits from. */
const templateOf = ({ spec }: Sandbox): string => spec?.resolved?.chain?.at(-1)?.name ?? '';

/** As in the status of the pools, which counts them anyway. */
function slotGauge(pools: Store<SandboxWarmPool>): Gauge<'pool' | 'state'> {
  return new Gauge({
    name: 'agenttier_warmpool_slots',
    help: 'Unclaimed prepared pods, by pool and state: free, building, failed',
    labelNames: ['pool', 'state'],
    registers: [],
    collect() {
      this.reset();
      for (const { metadata, status = {} } of pools.list()) {
        const pool = `${metadata.namespace}/${metadata.name}`;
        for (const state of ['free', 'building', 'failed'] as const) {
          this.set({ pool, state }, status[state] ?? 0);
        }
      }
    },
  });
}
