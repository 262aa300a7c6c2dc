// SPDX-License-Identifier: Apache-2.0
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { RequestHandler } from 'express';
import type { Gate } from '../ratelimit/gate.ts';
import type { RouterMetrics } from '../telemetry.ts';

export interface AccessLogOptions {
  readonly log: Logger;
  readonly metrics: Pick<RouterMetrics, 'request'>;
  readonly gate: Pick<Gate, 'addressOf'>;
}

/** Probes come every few seconds from every node: they are counted but not logged. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** One line and one count per answered request. The path goes without its query, which may carry a token. */
export function accessLog({ log, metrics, gate }: AccessLogOptions): RequestHandler {
  return (request, response, next) => {
    const started = performance.now();
    const path = request.path;
    // Once the socket is closed it has no address any more.
    const address = gate.addressOf(request);
    response.once('close', () => {
      const seconds = (performance.now() - started) / 1000;
      // A label per path would be one per sandbox name: only the route's pattern is one.
      const route = String(response.locals['route'] ?? 'none');
      metrics.request({ method: request.method, route, status: response.statusCode }, seconds);
      if (QUIET.has(path)) return;
      log.info(
        {
          method: request.method,
          path,
          status: response.statusCode,
          duration_ms: Math.round(seconds * 1000),
          remote_addr: address,
          user_agent: request.get('User-Agent'),
          request_id: response.locals['requestId'],
          sub: response.locals['sub'],
        },
        'request',
      );
    });
    next();
  };
}
