// SPDX-License-Identifier: Apache-2.0
import type { ClusterAccess } from '@agenttier/machinery/kube/access';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { Health } from '@agenttier/machinery/http/health';
import { createHttpServer } from '@agenttier/machinery/http/server';
import type { HttpServer } from '@agenttier/machinery/http/server';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { metricsHandler, reflectorMetrics } from '@agenttier/machinery/telemetry/metrics';
import type { Registry } from '@agenttier/machinery/telemetry/metrics';
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import type { Tracer } from '@agenttier/machinery/telemetry/spans';
import { createEventRecorder } from '@agenttier/machinery/events/recorder';
import type { EventRecorder } from '@agenttier/machinery/events/recorder';
import { createAudit } from '@agenttier/machinery/telemetry/audit';
import type { Audit } from '@agenttier/machinery/telemetry/audit';
import { sandboxAudit } from './audit.ts';
import type { SandboxAudit } from './audit.ts';
import { openAuditStore } from './auditStore/open.ts';
import type { AuditStore } from './auditStore/store.ts';
import { AuditTrail, keeping } from './auditStore/trail.ts';
import { auditedHandlers } from './auditStore/audited.ts';
import { auditOperations } from './api/audit/operations.ts';
import { ActivityRecorder } from './activity/recorder.ts';
import type { Handlers } from './api/contract.ts';
import { analyticsOperations } from './api/analytics/operations.ts';
import { backupOperations } from './api/backups/operations.ts';
import { createAgentMetrics } from './api/agent/metrics.ts';
import type { AgentMetrics } from './api/agent/metrics.ts';
import { agentOperations } from './api/agent/operations.ts';
import { checkOperations } from './api/check/operations.ts';
import { clusterOperations } from './api/cluster/operations.ts';
import { copyOperations } from './api/copies/operations.ts';
import { execOperations } from './api/exec/operations.ts';
import { explainOperations } from './api/explain/operations.ts';
import { keyOperations } from './api/keys/operations.ts';
import { fileOperations } from './api/files/operations.ts';
import { preferenceOperations } from './api/preferences/operations.ts';
import { referenceOperations } from './api/reference/operations.ts';
import { portOperations } from './api/ports/operations.ts';
import { sharingOperations } from './api/sharing/operations.ts';
import { signInOperations } from './api/signIn/operations.ts';
import { terminalOperations } from './api/terminals/operations.ts';
import { userOperations } from './api/user/operations.ts';
import { warmPoolOperations } from './api/warmpools/operations.ts';
import { SandboxRows } from './api/sandboxes/rows.ts';
import { webhookOperations } from './api/webhooks/operations.ts';
import { createApp } from './app.ts';
import { answerBrokenRequests } from './middleware/brokenRequest.ts';
import { objectHandlers } from './objectHandlers.ts';
import { createDoor } from './auth/door.ts';
import type { Door } from './auth/door.ts';
import { ChangeFeed } from './changes/feed.ts';
import { Caches, createStores } from './cluster/caches.ts';
import type { Stores } from './cluster/caches.ts';
import { SandboxFinder } from './cluster/finder.ts';
import { Overview } from './cluster/overview.ts';
import { Reachability } from './cluster/reachability.ts';
import { relayViaApiServer } from './cluster/relay.ts';
import { RuntimeClient } from './cluster/runtimeClient.ts';
import { wakeOnUse } from './cluster/wake.ts';
import type { Wake } from './cluster/wake.ts';
import type { Config } from './config.ts';
import type { RequestHandler } from 'express';
import { pages } from './pages/pages.ts';
import { createPreviews, previewOperations } from './preview/previews.ts';
import type { PreviewsOptions } from './preview/previews.ts';
import { createRouterMetrics } from './telemetry.ts';
import type { RouterMetrics } from './telemetry.ts';
import { connectPty } from './terminal/pod/connect.ts';
import { openExecLink } from './terminal/pod/execFallback.ts';
import { TerminalGateway } from './terminal/gateway.ts';
import { TicketDesk } from './terminal/door/ticketDesk.ts';
import { upgradeHandler, wantsWebSocket } from './terminal/door/upgrade.ts';

export interface RouterOptions {
  readonly config: Config;
  readonly access: ClusterAccess;
  readonly client: KubeClient;
  readonly log: Logger;
  readonly registry: Registry;
  /** Default: spans go nowhere. */
  readonly tracer?: Tracer | undefined;
}

export interface Router {
  readonly health: Health;
  readonly stores: Stores;
  /** Watches the cluster until the signal aborts. */
  watch(signal: AbortSignal): Promise<void>;
  /** Resolves with the port. */
  listen(): Promise<number>;
  /** Sends terminals away, lets requests finish, writes what is known about use. */
  close(): Promise<void>;
}

/** Wires one router; nothing runs before `watch` and `listen`. */
export function createRouter(options: RouterOptions): Router {
  const { config, client, log } = options;
  const stores = createStores();
  const rows = new SandboxRows();
  const caches = createCaches(options, stores);
  const health = healthOf(caches);
  const metrics = createRouterMetrics(options.registry);
  const door = createDoor({ client, stores, config, log, limited: metrics.limited });
  const reach = reachOf(options, metrics);
  const parts: Parts = {
    ...options,
    ...reach,
    stores,
    rows,
    changes: new ChangeFeed({ stores, rows }),
    caches,
    overview: new Overview({ client, installNamespace: config.installNamespace, log }),
    health,
    finder: createFinder(client, stores, config),
    metrics,
    agentMetrics: createAgentMetrics(options.registry),
    tickets: new TicketDesk({ stores, installNamespace: config.installNamespace, ...reach }),
    activity: new ActivityRecorder({ client, sandboxes: stores.sandboxes, log }),
    ...door,
    wake: wakeOnUse({ client, stores, waitMs: config.wakeMs }),
    ...createAuditParts(options, metrics),
  };
  followPods(parts);
  const gateway = createGateway(parts);
  const server = createServer(parts, gateway);
  return {
    health,
    stores,
    watch: async (signal) => {
      await Promise.all([caches.run(signal), door.issuer?.run(signal), parts.kept.run(signal)]);
    },
    listen: () => server.listen(),
    close: () => close(parts, gateway, server),
  };
}

function reachOf(
  { config, access }: RouterOptions,
  { fallback: onFallback }: RouterMetrics,
): Pick<Parts, 'runtime' | 'previewRuntime' | 'reachability'> {
  const reachability = new Reachability();
  const openRelay = relayViaApiServer(access);
  const options = { port: config.runtimePort, openRelay, reachability, onFallback };
  return {
    runtime: new RuntimeClient(options),
    previewRuntime: new RuntimeClient(options),
    reachability,
  };
}

const createCaches = ({ client, config, log, registry }: RouterOptions, stores: Stores): Caches =>
  new Caches({
    client,
    stores,
    installNamespace: config.installNamespace,
    log,
    metrics: reflectorMetrics(registry),
  });

function createAuditParts(
  { client, config, log }: RouterOptions,
  { auditDropped }: RouterMetrics,
): Pick<Parts, 'recorder' | 'kept' | 'trail' | 'audit'> {
  const component = 'agenttier.io/router';
  const { podName: instance, auditing } = config;
  const recorder = createEventRecorder({ client, component, instance, log });
  const open = (): Promise<AuditStore> => openAuditStore(auditing, client, log);
  const kept = new AuditTrail({ open, retentionMs: auditing.retentionMs, dropped: auditDropped, log });
  const trail = keeping(createAudit({ log, recorder }), kept.keep);
  return { recorder, kept, trail, audit: sandboxAudit(trail) };
}

function healthOf(caches: Caches): Health {
  const health = new Health();
  health.addReadiness('cluster', () => {
    const missing = caches.missing();
    return missing.length === 0 ? true : `not read yet: ${missing.join(', ')}`;
  });
  return health;
}

const createFinder = (client: KubeClient, { sandboxes }: Stores, config: Config): SandboxFinder =>
  new SandboxFinder({ client, sandboxes, defaultNamespace: config.sandboxNamespace });

async function close(parts: Parts, gateway: TerminalGateway, server: HttpServer): Promise<void> {
  const closed = server.close();
  gateway.drain();
  parts.changes.close();
  await closed;
  await Promise.all([parts.activity.flush(true), parts.recorder.flush(), parts.kept.close()]);
  parts.activity.stop();
  parts.overview.stop();
  await Promise.all([parts.runtime.close(), parts.previewRuntime.close()]);
}

/** Above what browsers and the connection pools of a proxy keep open; with half a head each they take 100 MB. */
const MOST_WAITING = 4096;

function createServer(parts: Parts, gateway: TerminalGateway): HttpServer {
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

function previewOptions(parts: Parts, unavailable: () => string | undefined): PreviewsOptions {
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

interface Parts extends RouterOptions, Door {
  readonly stores: Stores;
  readonly rows: SandboxRows;
  readonly changes: ChangeFeed;
  readonly caches: Caches;
  readonly health: Health;
  readonly finder: SandboxFinder;
  readonly metrics: RouterMetrics;
  readonly agentMetrics: AgentMetrics;
  readonly runtime: RuntimeClient;
  /** With connections of its own: a page that holds all it can get must not keep commands waiting. */
  readonly previewRuntime: RuntimeClient;
  readonly reachability: Reachability;
  readonly activity: ActivityRecorder;
  readonly wake: Wake;
  readonly overview: Overview;
  readonly tickets: TicketDesk;
  readonly recorder: EventRecorder;
  readonly kept: AuditTrail;
  /** Audits any act; `audit` one on a sandbox. */
  readonly trail: Audit;
  readonly audit: SandboxAudit;
}

/** What is known about a pod's address ends with the pod, or with a change of it. */
function followPods({ stores, runtime, previewRuntime, reachability }: Parts): void {
  stores.pods.subscribe(({ type, object, old }) => {
    const uid = (old ?? object).metadata.uid;
    if (uid === undefined) return;
    reachability.forget(uid);
    if (type !== 'deleted' && uid === object.metadata.uid) return;
    void runtime.forget(uid);
    void previewRuntime.forget(uid);
  });
}

function createHandlers(parts: Parts, previewing: PreviewsOptions): Handlers {
  const { stores, finder, client, config, metrics, runtime, activity } = parts;
  const defaultNamespace = config.sandboxNamespace;
  return {
    ...objectHandlers({ ...parts, touch: activity.touch, defaultNamespace }),
    ...terminalOperations({ finder, tickets: parts.tickets }),
    ...userOperations,
    ...keyOperations({ ...config, client, stores, finder, audit: parts.trail }),
    ...auditOperations({ stores, find: (query) => parts.kept.find(query) }),
    ...signInOperations(config),
    ...referenceOperations,
    ...explainOperations({ client, finder, stores, defaultNamespace }),
    ...checkOperations({ client, stores, defaultNamespace }),
    ...agentOperations(agentOptions(parts)),
    ...portOperations({ ...parts, site: config.preview }),
    ...previewOperations(previewing),
    ...fileOperations(filesOptions(parts)),
    ...managementOperations(parts),
    ...execOperations({
      runtime,
      stores,
      finder,
      wake: parts.wake,
      touch: activity.touch,
      audit: parts.audit,
      observe: metrics.exec,
    }),
  };
}

function filesOptions(parts: Parts): Parameters<typeof fileOperations>[0] {
  const { stores, finder, runtime, wake, audit, activity } = parts;
  return { stores, finder, runtime, wake, audit, touch: activity.touch };
}

/** What is around a sandbox: who else may use it, copies of it, what it runs on. */
function managementOperations({ client, stores, finder, audit, trail, overview, config }: Parts) {
  const { installNamespace, sandboxNamespace: defaultNamespace } = config;
  return {
    ...sharingOperations({ client, stores, finder, audit }),
    ...copyOperations({ client, stores, finder, audit }),
    ...backupOperations({ client, stores, finder, audit }),
    ...warmPoolOperations({ client, stores, defaultNamespace }),
    ...clusterOperations({ client, stores, overview, installNamespace }),
    ...webhookOperations({ client, stores, finder, audit: trail, installNamespace, defaultNamespace }),
    ...preferenceOperations({ client, installNamespace }),
    ...analyticsOperations({ stores, overview, rates: config.costs }),
  };
}

function agentOptions(parts: Parts): Parameters<typeof agentOperations>[0] {
  const { stores, finder, runtime, wake, audit, activity } = parts;
  const tracer = parts.tracer ?? createTracer();
  const { client, agentMetrics: metrics } = parts;
  return { client, stores, finder, runtime, wake, audit, tracer, metrics, touch: activity.touch };
}

function createGateway(parts: Parts): TerminalGateway {
  const { stores, config, metrics, runtime, activity, access, log } = parts;
  const paths = {
    runtime,
    viaApiServer: openExecLink(access),
    onFallback: metrics.fallback,
    pingMs: config.terminalPingMs,
    onEcho: (seconds: number) => metrics.terminals.echo(seconds),
  };
  return new TerminalGateway({
    sandboxes: stores.sandboxes,
    apiKeys: stores.apiKeys,
    perPerson: config.terminalsPerPerson,
    connect: (target, query) => connectPty(paths, target, query),
    renew: (ticket, admission) => parts.tickets.renew(ticket, admission),
    touch: activity.touch,
    audit: parts.audit,
    observer: metrics.terminals,
    pingMs: config.terminalPingMs,
    log,
  });
}
