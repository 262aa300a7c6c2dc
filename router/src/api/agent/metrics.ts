// SPDX-License-Identifier: Apache-2.0
import { Counter, exponentialBuckets, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { BoundedNames } from '@agenttier/machinery/telemetry/metrics';

export type InvokeOutcome =
  | 'completed'
  | 'timeout'
  | 'canceled'
  | 'error'
  | 'throttled'
  | 'body_too_large'
  | 'not_configured';

export type ConfigureOutcome =
  | 'ok'
  | 'bad_request'
  | 'policy_denied'
  | 'files_failed'
  | 'install_failed'
  | 'install_nonzero'
  | 'canceled';

/** What is counted of agents. Templates are few, and made by administrators. */
export interface AgentMetrics {
  readonly invoked: (template: string, outcome: InvokeOutcome, seconds: number) => void;
  readonly configured: (template: string, outcome: ConfigureOutcome, seconds: number) => void;
}

export function createAgentMetrics(registry: Registry): AgentMetrics {
  const throttled = new Counter({
    name: 'agenttier_invoke_throttled_total',
    help: 'Invocations refused since the sandbox ran as many as it may',
    registers: [registry],
  });
  const invoked = family(registry, 'invoke', {
    what: 'Invocations',
    buckets: exponentialBuckets(0.5, 2, 12),
  });
  const configured = family(registry, 'configure', {
    what: 'Configurations',
    buckets: exponentialBuckets(0.1, 2, 12),
  });
  return {
    configured,
    invoked: (template, outcome, seconds) => {
      if (outcome === 'throttled') throttled.inc();
      invoked(template, outcome, seconds);
    },
  };
}

function family(registry: Registry, verb: string, { what, buckets }: { what: string; buckets: number[] }) {
  const labelNames = ['template', 'outcome'] as const;
  const registers = [registry];
  const requests = new Counter({
    name: `agenttier_${verb}_requests_total`,
    help: `${what} of agents, by how they ended`,
    labelNames,
    registers,
  });
  const durations = new Histogram({
    name: `agenttier_${verb}_duration_seconds`,
    help: `${what} from the request to their end`,
    labelNames,
    buckets,
    registers,
  });
  const templates = new BoundedNames();
  return (template: string, outcome: string, seconds: number): void => {
    const labels = { template: templates.of(template), outcome };
    requests.inc(labels);
    durations.observe(labels, seconds);
  };
}
