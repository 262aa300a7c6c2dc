// SPDX-License-Identifier: Apache-2.0
// First: from here on a SIGTERM is heard.
import { signal } from '@agenttier/machinery/runtime/rootSignal';
import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createEventRecorder } from '@agenttier/machinery/events/recorder';
import type { EventRecorder } from '@agenttier/machinery/events/recorder';
import { Health } from '@agenttier/machinery/http/health';
import { healthListener } from '@agenttier/machinery/http/listener';
import { PublicAddresses } from '@agenttier/machinery/http/publicAddress';
import { createHttpServer } from '@agenttier/machinery/http/server';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { runWithLease } from '@agenttier/machinery/lease/lease';
import { createLogger } from '@agenttier/machinery/telemetry/log';
import {
  controllerMetrics,
  createRegistry,
  metricsHandler,
  reflectorMetrics,
} from '@agenttier/machinery/telemetry/metrics';
import type { Registry } from '@agenttier/machinery/telemetry/metrics';
import { tracerFromEnvironment } from '@agenttier/machinery/telemetry/otelEnvironment';
import { createCaches, createReflectors, watchKinds } from './caches.ts';
import type { Caches } from './caches.ts';
import { readConfig } from './config.ts';
import type { OperatorConfig } from './config.ts';
import { installTemplates } from './install/builtin.ts';
import { keepRuntimeKey, runtimeKey } from './install/runtimeKey.ts';
import { createOperatorMetrics } from './metrics.ts';
import type { OperatorMetrics } from './metrics.ts';
import { createPost } from './notify/post.ts';
import type { Post } from './notify/post.ts';
import { operate } from './operator.ts';
import type { OperatorOptions } from './operator.ts';

/** Longer than the webhook takes to come up with its certificate; the chart's job has a deadline of its own. */
const APPLY_MS = 240_000;

const [command, folder] = process.argv.slice(2);
const log = createLogger({ component: 'operator', level: process.env['LOG_LEVEL'] });

try {
  if (command === undefined) await main(readConfig(process.env));
  else if (command === 'apply' && folder !== undefined) await applyTemplates(folder);
  else throw new Error('usage: operator, or operator apply FOLDER');
} catch (error) {
  // A lost lease ends here too: another replica leads by now, and a fresh process has no half-done work to forget.
  // One that was asked to stop before its caches were filled has nothing to finish.
  if (!signal.aborted) {
    log.fatal({ err: error }, 'the operator ends');
    process.exitCode = 1;
  }
}
// Keep-alive sockets and timers of a process that is done must not hold it.
process.exit();

/** What the chart's job after an install or upgrade runs. */
async function applyTemplates(folder: string): Promise<void> {
  const client = createKubeClient(await loadAccess({ inClusterFallback: true, env: process.env }));
  await installTemplates({
    client,
    folder,
    log,
    signal: AbortSignal.any([signal, AbortSignal.timeout(APPLY_MS)]),
  });
}

async function main(config: OperatorConfig): Promise<void> {
  const client = await connect(config);
  const registry = createRegistry('operator');
  const caches = createCaches();
  const metrics = createOperatorMetrics(registry, caches.sandboxes, caches.pools);
  const metricsOf = reflectorMetrics(registry);
  const reflectors = createReflectors({ client, caches, log, metrics: metricsOf });
  const app = appOf(registry, () => reflectors.every((one) => one.hasSynced()));
  const server = createHttpServer({ app: app.listener, port: config.healthPort, log });
  await server.listen();
  const watching = Promise.all(reflectors.map((one) => one.run(signal)));
  await Promise.all(reflectors.map((one) => one.synced()));
  watchKinds({ client, caches, log, metrics: metricsOf }, signal);
  const key = await runtimeKey(client, config.settings.installNamespace, signal);
  const work = await workOf({ client, caches, metrics, registry, key }, config);
  await Promise.all([
    lead(client, config, { work, metrics }),
    keepRuntimeKey({ client, namespace: config.settings.installNamespace, key, log }, signal),
  ]);
  await Promise.all([work.recorder.flush(), work.tracer?.flush()]);
  app.health.startDraining();
  await server.close();
  await watching;
}

interface Parts {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly metrics: OperatorMetrics;
  readonly registry: Registry;
  readonly key: Uint8Array;
}

/** What the leader works with. */
async function workOf(
  { client, caches, metrics, registry, key }: Parts,
  config: OperatorConfig,
): Promise<OperatorOptions> {
  const { podName, workers, directProbe } = config;
  return {
    client,
    caches,
    metrics,
    log,
    workers,
    directProbe,
    settings: { ...config.settings, tokenKey: key },
    recorder: recorderOf(client, podName),
    queueMetrics: controllerMetrics(registry)('sandbox'),
    tracer: await tracerFromEnvironment('operator', process.env, log),
    post: postOf(config),
  };
}

/** Works while this replica holds the lease; resolves when the process is to end. */
function lead(
  client: KubeClient,
  { podName, leaseName, settings }: OperatorConfig,
  { work, metrics }: { readonly work: OperatorOptions; readonly metrics: OperatorMetrics },
): Promise<void> {
  const identity = `${podName}_${randomUUID().slice(0, 8)}`;
  const lease = { client, namespace: settings.installNamespace, name: leaseName, identity, log };
  const onChange = (leading: boolean): void => metrics.leading(leading);
  return runWithLease({ ...lease, onLead: (leading) => operate(work, leading), onChange, signal });
}

// Declarations, not constants: main runs, by the top-level await above, before a constant down here has its value.
function recorderOf(client: KubeClient, instance: string): EventRecorder {
  return createEventRecorder({ client, component: 'agenttier.io/operator', instance, log });
}

function postOf({ notify }: OperatorConfig): Post {
  return createPost({ addresses: new PublicAddresses(notify.allowedCidrs), extraCa: notify.extraCa });
}

async function connect({ kubeconfig }: OperatorConfig): Promise<KubeClient> {
  return createKubeClient(await loadAccess({ kubeconfig, inClusterFallback: true, env: process.env }));
}

/** A replica that does not lead is ready too: ready to take over, with the same caches. */
function appOf(registry: Registry, isFilled: () => boolean): { health: Health; listener: RequestListener } {
  const health = new Health();
  health.addReadiness('caches', () => isFilled() || 'the caches are not filled yet');
  return { health, listener: healthListener(health, metricsHandler(registry)) };
}
