// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ANNOTATION_TRACEPARENT } from '@agenttier/crds/meta/labels';
import type { SpanOptions, Tracer } from '@agenttier/machinery/telemetry/spans';
import { parseTraceparent } from '@agenttier/machinery/telemetry/tracing';
import type { Trace } from '@agenttier/machinery/telemetry/tracing';
import type { Tally } from '../decision/actions.ts';

/**
 * Where work on the sandbox belongs: to the request for its present start, as long as that is under way. Routine work is
 * nobody's.
 */
export function startSpan({ metadata, status }: Sandbox): SpanOptions | undefined {
  const starting = status?.phase !== 'Running' && metadata.deletionTimestamp === undefined;
  const parent = starting ? requestTrace(metadata.annotations) : undefined;
  if (parent === undefined) return undefined;
  const { namespace, name } = metadata;
  const attributes = {
    'sandbox.name': name,
    'k8s.namespace.name': namespace,
    'sandbox.phase': status?.phase,
  };
  return { parent, attributes };
}

const requestTrace = (annotations: Readonly<Record<string, string>> | undefined): Trace | undefined =>
  parseTraceparent(annotations?.[ANNOTATION_TRACEPARENT]);

/**
 * The whole start as one span from admission to ready, with a span for each phase below it. They are written when it is
 * over: who began it may be another replica, and most of its time passes on the node.
 */
export function recordStart(
  tracer: Tracer,
  sandbox: Sandbox,
  tally: Extract<Tally, { metric: 'startup' }>,
): void {
  const parent = requestTrace(sandbox.metadata.annotations);
  const from = Date.parse(sandbox.status?.startup?.admittedAt ?? '');
  if (parent === undefined || Number.isNaN(from)) return;
  const { namespace, name } = sandbox.metadata;
  const attributes = {
    'sandbox.name': name,
    'k8s.namespace.name': namespace,
    'startup.path': tally.path,
    'sandbox.template': tally.template,
  };
  const span = { name: 'sandbox.start', startedAt: from, endedAt: from + tally.seconds * 1000, attributes };
  const whole = tracer.record(span, parent);
  let startedAt = from;
  for (const [phase, seconds] of tally.phases) {
    const endedAt = startedAt + seconds * 1000;
    tracer.record({ name: `sandbox.start.${phase}`, startedAt, endedAt, attributes: {} }, whole);
    startedAt = endedAt;
  }
}
