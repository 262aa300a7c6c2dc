// SPDX-License-Identifier: Apache-2.0
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import { formatTraceparent, parseTraceparent, withTrace } from '@agenttier/machinery/telemetry/tracing';
import type { RequestHandler } from 'express';

/** Asked every few seconds by every node: they would be most of all spans. */
const UNTRACED = new Set(['/healthz', '/readyz', '/metrics']);

/**
 * A span for each request, continuing the caller's trace (W3C Trace Context). The answer's header `traceresponse` names it, so
 * that somebody who reports a problem can name the trace.
 */
export function traceRequests(tracer: Tracer): RequestHandler {
  return (request, response, next) => {
    if (UNTRACED.has(request.path)) return next();
    const parent = parseTraceparent(request.get('traceparent'));
    const { method } = request;
    const span = tracer.begin(`router.${method}`, {
      parent,
      kind: 'server',
      attributes: { 'http.request.method': method },
    });
    response.setHeader('traceresponse', formatTraceparent(span.trace));
    response.once('close', () => {
      const { route } = response.locals as { readonly route?: string };
      span.set({ 'http.route': route, 'http.response.status_code': response.statusCode });
      if (response.statusCode >= 500) span.fail(`answered ${response.statusCode}`);
      span.end();
    });
    withTrace(span.trace, next);
  };
}
