// SPDX-License-Identifier: Apache-2.0
import { createHttpServer } from '@agenttier/machinery/http/server';
import type { HttpServer } from '@agenttier/machinery/http/server';
import { metricsHandler } from '@agenttier/machinery/telemetry/metrics';
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import { auditedHandlers } from './auditStore/audited.ts';
import { createApp } from './app.ts';
import { answerBrokenRequests } from './middleware/brokenRequest.ts';
import type { Config } from './config.ts';
import type { RequestHandler } from 'express';
import { pages } from './pages/pages.ts';
import { createPreviews } from './preview/previews.ts';
import type { PreviewsOptions } from './preview/previews.ts';
import type { TerminalGateway } from './terminal/gateway.ts';
import { upgradeHandler, wantsWebSocket } from './terminal/door/upgrade.ts';
import { createHandlers } from './handlers.ts';
import type { Parts } from './parts.ts';

/** Above what browsers and the connection pools of a proxy keep open; with half a head each they take 100 MB. */
const MOST_WAITING = 4096;

/** The HTTP server with everything that comes in by it: pages, REST, terminals and previews. */
export function createServer(parts: Parts, gateway: TerminalGateway): HttpServer {
  const { config, auth, finder, stores, caches, metrics, registry, log } = parts;
  const { host, port, drainMs, corsOrigins } = config;
  const unavailable = (): string | undefined => unavailabilityOf(parts);
  const previewing = previewOptions(parts, unavailable);
  const previews = createPreviews(previewing);
  const app = createApp({
    handlers: auditedHandlers(createHandlers(parts, previewing), {
      stores,
      defaultNamespace: config.sandboxNamespace,
      keep: parts.kept.keep,
      audit: parts.trail,
    }),
    auth,
    gate: parts.gate,
    sessions: parts.sessions,
    tickets: parts.tickets,
    corsOrigins,
    unready: () => parts.health.unready(),
    missing: () => caches.missing(),
    metricsPage: metricsHandler(registry),
    metrics,
    tracer: parts.tracer ?? createTracer(),
    pages: pagesOf(config),
    log,
  });
  const limits = { drainMs, requestMs: 0, mostWaiting: MOST_WAITING };
  const server = createHttpServer({ app: previews.before(app), host, port, ...limits, log });
  answerBrokenRequests(server.server);
  const observe = (status: number): void =>
    metrics.request({ method: 'GET', route: '/ws/terminal/:id', status }, 0);
  const { addressOf } = parts.gate;
  const { wake, tickets } = parts;
  const common = { auth, stores, finder, corsOrigins, gateway, log, wake, tickets, addressOf };
  Object.assign(server.server, { shouldUpgradeCallback: wantsWebSocket });
  const terminals = upgradeHandler({ ...common, unavailable, observe });
  server.server.on('upgrade', previews.beforeUpgrade(terminals));
  return server;
}

function unavailabilityOf({ health, caches }: Parts): string | undefined {
  if (health.draining) return 'this replica is shutting down';
  return caches.missing().length > 0 ? 'this replica has not read the cluster yet' : undefined;
}

export function previewOptions(parts: Parts, unavailable: () => string | undefined): PreviewsOptions {
  const { config, previewRuntime: runtime, activity, gate, metrics } = parts;
  return {
    ...parts,
    ...config,
    site: config.preview,
    runtime,
    touch: activity.touch,
    addressOf: gate.addressOf,
    spend: (ticket, target) => parts.tickets.spendAnyWay(ticket, target),
    unavailable,
    observe: (method, status, seconds) => metrics.request({ method, route: 'preview', status }, seconds),
  };
}

/** The dashboard, where there is one to serve. */
function pagesOf({ pagesFolder, oidc, frameAncestors }: Config): RequestHandler | undefined {
  if (pagesFolder === undefined) return undefined;
  const issuerOrigin = oidc && new URL(oidc.issuer).origin;
  return pages({ folder: pagesFolder, issuerOrigin, frameAncestors });
}
