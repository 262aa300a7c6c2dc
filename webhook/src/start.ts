// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FIELD_MANAGER_WEBHOOK } from '@agenttier/crds/meta/labels';
import { drainOnAbort } from '@agenttier/machinery/http/drain';
import { createEventRecorder } from '@agenttier/machinery/events/recorder';
import type { EventRecorder } from '@agenttier/machinery/events/recorder';
import { Health } from '@agenttier/machinery/http/health';
import { createHttpServer } from '@agenttier/machinery/http/server';
import type { HttpServer } from '@agenttier/machinery/http/server';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { ClusterAccess, KubeClient } from '@agenttier/machinery/kube/client';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { createRegistry, metricsHandler, reflectorMetrics } from '@agenttier/machinery/telemetry/metrics';
import type { Registry } from '@agenttier/machinery/telemetry/metrics';
import { createAudit } from '@agenttier/machinery/telemetry/audit';
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import { createAuthority } from '@agenttier/machinery/tls/authority';
import type { Authority, AuthorityOptions } from '@agenttier/machinery/tls/authority';
import { certificateMetrics } from '@agenttier/machinery/tls/expiry';
import { admissionAudit } from './audit.ts';
import { createCache } from './cache.ts';
import type { Cache } from './cache.ts';
import type { WebhookConfig } from './config.ts';
import { Lookup } from './lookup.ts';
import { createAdmissionMetrics, ledgerMetrics } from './metrics.ts';
import { QuotaAdmission } from './quota/admission.ts';
import { createHandlers } from './routes.ts';
import { createAdmissionApp } from './server.ts';

export interface StartOptions {
  readonly config: WebhookConfig;
  readonly access: ClusterAccess;
  readonly log: Logger;
  /** Begins the shutdown when it aborts. */
  readonly signal: AbortSignal;
  /** Addresses that the certificate is made out to as well; for a server that is dialled without a Service. */
  readonly ipAddresses?: readonly string[];
  /** How long requests are still taken after the signal, while endpoints are being withdrawn; default 3 000. */
  readonly drainDelayMs?: number;
  readonly registry?: Registry;
  /** Default: spans go nowhere. */
  readonly tracer?: Tracer | undefined;
  /** Lifetimes and clock of the certificates; tests of a rotation have no 60 days. */
  readonly certificates?: Pick<AuthorityOptions, 'clock' | 'pollMs' | 'caLifetimeMs' | 'leafLifetimeMs'>;
}

export interface RunningWebhook {
  readonly webhookPort: number;
  readonly healthPort: number;
  readonly health: Health;
  /** Resolves when both servers have closed after the signal. */
  readonly closed: Promise<void>;
}

/** Below the five seconds that the API server waits, so that people read our words and not those of a timeout. */
const DEADLINE_MS = 3_000;
const RETRY_MS = 1_000;

/** The plain listener of the health port. */
function healthListener(health: Health, registry: Registry): RequestListener {
  const metrics = metricsHandler(registry);
  const routes: Readonly<Record<string, RequestListener>> = {
    '/healthz': health.healthz,
    '/readyz': health.readyz,
    '/metrics': metrics,
  };
  return (request: IncomingMessage, response: ServerResponse) => {
    const route = routes[request.url?.split('?')[0] ?? ''];
    if (route) {
      route(request, response);
    } else {
      response.writeHead(404).end();
    }
  };
}

function authorityFor(options: StartOptions, client: KubeClient): Authority {
  const { config, log, ipAddresses } = options;
  return createAuthority({
    client,
    namespace: config.namespace,
    secretName: config.certSecret,
    dnsNames: [`${config.service}.${config.namespace}.svc`],
    ...(ipAddresses ? { ipAddresses } : {}),
    webhooks: { mutating: [config.configuration], validating: [config.configuration] },
    fieldManager: FIELD_MANAGER_WEBHOOK,
    labels: { 'app.kubernetes.io/name': 'agenttier', 'app.kubernetes.io/component': 'webhook' },
    log,
    ...options.certificates,
  });
}

const recorderFor = ({ config, log }: StartOptions, client: KubeClient): EventRecorder =>
  createEventRecorder({ client, component: 'agenttier.io/webhook', instance: config.podName, log });

/** Until the certificate exists and the API server has been told whom to trust; a cluster that is away is waited for. */
async function untilTrusted(authority: Authority, log: Logger, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      return await authority.ensure(signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error }, 'the certificate is not in place yet; trying again');
      await sleep(RETRY_MS, undefined, { signal });
    }
  }
}

function admissionServer(options: StartOptions, parts: Parts, authority: Authority): HttpServer {
  const { config, log } = options;
  const lookup = new Lookup({
    client: parts.client,
    stores: parts.cache.stores,
    policiesCurrent: () => parts.cache.policiesCurrent(),
  });
  const quota = new QuotaAdmission({
    client: parts.client,
    lookup,
    stores: parts.cache.stores,
    onWrite: ledgerMetrics(parts.registry),
  });
  const app = createAdmissionApp({
    handlers: createHandlers(config, lookup, { client: parts.client, log, quota, tracer: options.tracer }),
    metrics: createAdmissionMetrics(parts.registry),
    log,
    tracer: options.tracer ?? createTracer(),
    audit: admissionAudit(createAudit({ log, recorder: parts.recorder }), config.operatorUsername),
    deadlineMs: DEADLINE_MS,
  });
  return createHttpServer({ app, port: config.webhookPort, tls: authority, log });
}

interface Parts {
  readonly client: KubeClient;
  readonly cache: Cache;
  readonly registry: Registry;
  readonly recorder: EventRecorder;
}

/**
 * Starts everything; resolves once admission requests are answered. Ready (health port) only when templates and
 * policies are in memory, the certificate is served and its authority is written into the webhook configurations.
 * Rejects with the reason of `signal` when that aborts before.
 */
export async function startWebhook(options: StartOptions): Promise<RunningWebhook> {
  const { config, log, signal } = options;
  const registry = options.registry ?? createRegistry('webhook');
  const client = createKubeClient(options.access);
  const cache = createCache({ client, log, metrics: reflectorMetrics(registry) });
  const recorder = recorderFor(options, client);
  const authority = authorityFor(options, client);
  certificateMetrics(registry, authority);
  let serving = false;
  const health = new Health();
  health.addReadiness('cache', () => cache.hasSynced() || 'templates and policies are not read yet');
  health.addReadiness('certificate', () => serving || 'the certificate is not published yet');

  const healthServer = createHttpServer({
    app: healthListener(health, registry),
    port: config.healthPort,
    log,
  });
  const healthPort = await healthServer.listen();
  const watching = cache.run(signal);
  const server = await untilTrusted(authority, log, signal).then(
    () => admissionServer(options, { client, cache, registry, recorder }, authority),
    async (error: unknown) => {
      await healthServer.close();
      throw error;
    },
  );
  const webhookPort = await server.listen();
  serving = true;
  const renewing = authority.run(signal);
  const delayMs = options.drainDelayMs;
  const drained = drainOnAbort({ signal, health, servers: [server, healthServer], log, delayMs });
  const closed = Promise.all([watching, renewing, drained])
    .then(() => recorder.flush())
    .then(() => client.close());
  return { webhookPort, healthPort, health, closed };
}
