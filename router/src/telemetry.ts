// SPDX-License-Identifier: Apache-2.0
import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { FallbackReason } from './cluster/runtimeClient.ts';
import type { LimitName } from './ratelimit/gate.ts';
import { terminalObserver } from './terminal/observer.ts';
import type { TerminalObserver } from './terminal/observer.ts';

/** What the router counts. Labels come from small fixed sets: never a name of a sandbox or a person. */
export interface RouterMetrics {
  readonly terminals: TerminalObserver;
  readonly request: (labels: { method: string; route: string; status: number }, seconds: number) => void;
  readonly exec: (outcome: string, transport: string, seconds: number) => void;
  readonly auditDropped: (count: number) => void;
  readonly noticesDropped: (count: number) => void;
  readonly limited: (limit: LimitName) => void;
  readonly fallback: (reason: FallbackReason) => void;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export function createRouterMetrics(registry: Registry): RouterMetrics {
  const fallbacks = new Counter({
    name: 'agenttier_runtime_fallback_total',
    help: 'Commands, terminals and files that went through the API server, by reason',
    labelNames: ['reason'],
    registers: [registry],
  });
  const limited = new Counter({
    name: 'agenttier_rate_limited_total',
    help: 'Requests answered with 429, by the limit that was reached',
    labelNames: ['limit'],
    registers: [registry],
  });
  const dropped = new Counter({
    name: 'agenttier_audit_rows_dropped_total',
    help: 'Acts that are in the log but could not be stored',
    registers: [registry],
  });
  const unheard = new Counter({
    name: 'agenttier_notices_dropped_total',
    help: 'Events of agents that could not be handed on to subscribers',
    registers: [registry],
  });
  return {
    noticesDropped: (count) => unheard.inc(count),
    auditDropped: (count) => dropped.inc(count),
    limited: (limit) => limited.inc({ limit }),
    terminals: terminalObserver(registry),
    request: requestObserver(registry),
    exec: execObserver(registry),
    fallback: (reason) => fallbacks.inc({ reason }),
  };
}

function requestObserver(registry: Registry): RouterMetrics['request'] {
  const registers = [registry];
  const requests = new Counter({
    name: 'agenttier_http_requests_total',
    help: 'Answered requests',
    labelNames: ['method', 'route', 'code'],
    registers,
  });
  const durations = new Histogram({
    name: 'agenttier_http_request_duration_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['method', 'route'],
    buckets: SECONDS,
    registers,
  });
  return ({ method, route, status }, seconds) => {
    requests.inc({ method, route, code: String(status) });
    durations.observe({ method, route }, seconds);
  };
}

function execObserver(registry: Registry): RouterMetrics['exec'] {
  const registers = [registry];
  const execs = new Counter({
    name: 'agenttier_exec_total',
    help: 'Commands run in sandboxes',
    labelNames: ['transport', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'agenttier_exec_duration_seconds',
    help: 'Duration of commands as seen by the router',
    labelNames: ['transport'],
    buckets: SECONDS,
    registers,
  });
  return (outcome, transport, seconds) => {
    execs.inc({ transport, outcome });
    durations.observe({ transport }, seconds);
  };
}
