// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ControllerMetrics } from '../controller/controller.ts';
import type { QueueMetrics } from '../controller/workqueue.ts';
import type { ReflectorMetrics } from '../reflector/reflector.ts';

export type { Registry } from 'prom-client';

/**
 * The one registry of a process, with the process's own figures (memory, event loop, handles). Tests pass
 * `processMetrics: false`: the garbage collection observer cannot be taken down again.
 */
export function createRegistry(
  component: string,
  options: { readonly processMetrics?: boolean } = {},
): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ component });
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  return registry;
}

/** `GET /metrics`, for node:http and for express. */
export function metricsHandler(
  registry: Registry,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (_request, response) => {
    registry.metrics().then(
      (text) => response.setHeader('content-type', registry.contentType).end(text),
      (error: unknown) => {
        response.statusCode = 500;
        response.end(`metrics cannot be collected: ${error instanceof Error ? error.message : 'unknown'}\n`);
      },
    );
  };
}

/** Reflector figures; call once per registry, then once per resource. */
export function reflectorMetrics(registry: Registry): (resource: string) => ReflectorMetrics {
  const make = factory(registry, 'agenttier_reflector');
  const lists = make.counter('lists_total', 'Full reads of a collection, by reason', ['resource', 'reason']);
  const failures = make.counter('failures_total', 'Interrupted watches, unreadable events, failed handlers', [
    'resource',
    'kind',
  ]);
  const events = make.counter('events_total', 'Watch events received', ['resource', 'type']);
  const watchStart = make.gauge('watch_start_timestamp_seconds', 'When the present watch was opened', [
    'resource',
  ]);
  const lastEvent = make.gauge('last_event_timestamp_seconds', 'When the last event or bookmark came', [
    'resource',
  ]);
  return (resource) => ({
    listed: (reason) => lists.inc({ resource, reason }),
    watchStarted: () => watchStart.set({ resource }, Date.now() / 1000),
    event: (type) => {
      events.inc({ resource, type });
      lastEvent.set({ resource }, Date.now() / 1000);
    },
    failed: (kind) => failures.inc({ resource, kind }),
  });
}

/** Work queue and controller figures; call once per registry, then once per controller. */
export function controllerMetrics(
  registry: Registry,
): (controller: string) => QueueMetrics & ControllerMetrics {
  const make = factory(registry, 'agenttier');
  const labels = ['controller'];
  const depth = make.gauge('queue_depth', 'Keys ready to be worked on', labels);
  const adds = make.counter('workqueue_adds_total', 'Keys added', labels);
  const retries = make.counter('workqueue_retries_total', 'Keys added again after a failure', labels);
  const waits = make.histogram(
    'workqueue_wait_seconds',
    'Time between becoming ready and being taken',
    labels,
  );
  const runs = make.histogram('reconcile_duration_seconds', 'Duration of reconciles, by result', [
    'controller',
    'result',
  ]);
  const errors = make.counter('reconcile_errors_total', 'Reconciles that failed and are repeated', labels);
  return (controller) => ({
    depth: (size) => depth.set({ controller }, size),
    added: () => adds.inc({ controller }),
    retried: () => retries.inc({ controller }),
    waited: (ms) => waits.observe({ controller }, ms / 1000),
    reconciled(result, seconds) {
      runs.observe({ controller, result }, seconds);
      if (result === 'error') errors.inc({ controller });
    },
  });
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

const MAX_NAMES = 200;

/**
 * Values of a label that people choose, such as names of templates: the first 200 are told apart, since every value is a
 * series that is kept for good.
 */
export class BoundedNames {
  readonly #known = new Set<string>();

  /** The name itself, `_none` for an empty one, `_other` beyond the limit. */
  of(name: string): string {
    if (name === '') return '_none';
    if (this.#known.has(name)) return name;
    if (this.#known.size >= MAX_NAMES) return '_other';
    this.#known.add(name);
    return name;
  }
}

/** Metrics of one subsystem, registered in one registry. */
function factory(
  registry: Registry,
  prefix: string,
): {
  counter(name: string, help: string, labelNames: string[]): Counter;
  gauge(name: string, help: string, labelNames: string[]): Gauge;
  histogram(name: string, help: string, labelNames: string[]): Histogram;
} {
  const settings = (name: string, help: string, labelNames: string[]) => ({
    name: `${prefix}_${name}`,
    help,
    labelNames,
    registers: [registry],
  });
  return {
    counter: (...of) => new Counter(settings(...of)),
    gauge: (...of) => new Gauge(settings(...of)),
    histogram: (...of) => new Histogram({ ...settings(...of), buckets: SECONDS }),
  };
}
