// SPDX-License-Identifier: Apache-2.0
import type { ClusterAccess } from '@agenttier/machinery/kube/access';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { Health } from '@agenttier/machinery/http/health';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { reflectorMetrics } from '@agenttier/machinery/telemetry/metrics';
import type { Registry } from '@agenttier/machinery/telemetry/metrics';
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
import { ActivityRecorder } from './activity/recorder.ts';
import { createAgentMetrics } from './api/agent/metrics.ts';
import type { AgentMetrics } from './api/agent/metrics.ts';
import { SandboxRows } from './api/sandboxes/rows.ts';
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
import { createRouterMetrics } from './telemetry.ts';
import type { RouterMetrics } from './telemetry.ts';
import { TicketDesk } from './terminal/door/ticketDesk.ts';
import { Herald } from './notices/herald.ts';

export interface RouterOptions {
  readonly config: Config;
  readonly access: ClusterAccess;
  readonly client: KubeClient;
  readonly log: Logger;
  readonly registry: Registry;
  /** Default: spans go nowhere. */
  readonly tracer?: Tracer | undefined;
}

/** What the rooms of one router share; each is made once. */
export interface Parts extends RouterOptions, Door {
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
  /** Tells subscribers of what this process alone sees. */
  readonly herald: Herald;
}

/** Makes them; nothing runs before the caches do. */
export function createParts(options: RouterOptions): Parts {
  const { config, client, log } = options;
  const stores = createStores();
  const rows = new SandboxRows();
  const caches = createCaches(options, stores);
  const health = healthOf(caches);
  const metrics = createRouterMetrics(options.registry);
  const door = createDoor({ client, stores, config, log, limited: metrics.limited });
  const reach = reachOf(options, metrics);
  return {
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
    herald: createHerald(options, stores, metrics),
  };
}

function reachOf(
  { config, access }: RouterOptions,
  { fallback: onFallback }: RouterMetrics,
): Pick<Parts, 'runtime' | 'previewRuntime' | 'reachability'> {
  const reachability = new Reachability();
  const openRelay = relayViaApiServer(access);
  const options = { port: config.runtimePort, openRelay, reachability, onFallback };
  const [runtime, previewRuntime] = [new RuntimeClient(options), new RuntimeClient(options)];
  return { runtime, previewRuntime, reachability };
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

const createHerald = (
  { client, log }: RouterOptions,
  { sandboxes, subscriptions }: Stores,
  { noticesDropped: dropped }: RouterMetrics,
): Herald => new Herald({ client, sandboxes, subscriptions, dropped, log });
