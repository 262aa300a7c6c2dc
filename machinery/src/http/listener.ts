// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Health } from './health.ts';

/** Health and metrics, for a process that serves nothing else there. */
export function healthListener(
  health: Health,
  metrics: (request: IncomingMessage, response: ServerResponse) => void,
): RequestListener {
  const routes: Readonly<Record<string, RequestListener>> = {
    '/healthz': health.healthz,
    '/readyz': health.readyz,
    '/metrics': metrics,
  };
  return (request, response) => {
    const route = routes[(request.url ?? '').split('?')[0] ?? ''];
    if (route !== undefined && request.method === 'GET') return route(request, response);
    response.statusCode = 404;
    response.end();
  };
}
