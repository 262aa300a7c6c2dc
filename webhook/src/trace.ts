// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_TRACEPARENT } from '@agenttier/crds/meta/labels';
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import { parseTraceparent } from '@agenttier/machinery/telemetry/tracing';
import type { Trace } from '@agenttier/machinery/telemetry/tracing';
import type { AdmissionRequest, Handler, Verdict } from './review.ts';

/**
 * The handler within a span `webhook.mutate` or `webhook.validate`. It belongs to the request that the object carries, as far
 * as this very write brought it: what an earlier request left on the object is not this one's.
 */
export function tracedHandler(path: string, handler: Handler, tracer: Tracer): Handler {
  const [, verb = 'validate'] = path.split('/');
  return (request, signal) =>
    tracer.span(`webhook.${verb}`, { parent: broughtBy(request), kind: 'server' }, async (span) => {
      const { kind, operation, namespace, name, dryRun } = request;
      span.set({
        'admission.path': path,
        'admission.kind': kind.kind,
        'admission.operation': operation,
        'admission.dry_run': dryRun === true,
        'k8s.namespace.name': namespace,
        'sandbox.name': kind.kind === 'Sandbox' ? name : undefined,
      });
      const verdict = await handler(request, signal);
      span.set(outcomeOf(verdict));
      return verdict;
    });
}

function outcomeOf({ violations }: Verdict): Record<string, string | undefined> {
  const codes = [...new Set(violations.map(({ code }) => code))].join(' ');
  return { decision: violations.length > 0 ? 'denied' : 'allowed', codes: codes === '' ? undefined : codes };
}

interface Annotated {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, unknown>> } | null;
}

function broughtBy({ object, oldObject }: AdmissionRequest): Trace | undefined {
  const now = annotationOf(object);
  return now === annotationOf(oldObject) ? undefined : parseTraceparent(now);
}

function annotationOf(object: unknown): string | undefined {
  const value = (object as Annotated | null | undefined)?.metadata?.annotations?.[ANNOTATION_TRACEPARENT];
  return typeof value === 'string' ? value : undefined;
}
