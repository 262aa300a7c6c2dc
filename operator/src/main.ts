// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createEventRecorder } from '@agenttier/machinery/events/recorder';
import { Health } from '@agenttier/machinery/http/health';
import { createHttpServer } from '@agenttier/machinery/http/server';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { runWithLease } from '@agenttier/machinery/lease/lease';
import { rootSignal } from '@agenttier/machinery/runtime/shutdown';
import { createLogger } from '@agenttier/machinery/telemetry/log';
import {
  controllerMetrics,
  createRegistry,
  metricsHandler,
  reflectorMetrics,
} from '@agenttier/machinery/telemetry/metrics';
import type { Registry } from '@agenttier/machinery/telemetry/metrics';
import { createCaches, createReflectors } from './caches.ts';
import { readConfig } from './config.ts';
import type { OperatorConfig } from './config.ts';
import { installTemplates } from './install/builtin.ts';
import { keepRuntimeKey, runtimeKey } from './install/runtimeKey.ts';
import { listenerOf } from './listener.ts';
import { createOperatorMetrics } from './metrics.ts';
import { operate } from './operator.ts';
import { watchSnapshots } from './volume/snapshotWatch.ts';

/** Longer than the webhook takes to come up with its certificate; the chart's job has a deadline of its own. */
const APPLY_MS = 240_000;

const [command, folder] = process.argv.slice(2);
const signal = rootSignal();
const log = createLogger({ component: 'operator', level: process.env['LOG_LEVEL'] });

try {
  if (command === undefined) await main(readConfig(process.env));
  else if (command === 'apply' && folder !== undefined) await applyTemplates(folder);
  else throw new Error('usage: operator, or operator apply FOLDER');
} catch (error) {
  // A lost lease ends here too: another replica leads by now, and a fresh process has no half-done work to forget.
  log.fatal({ err: error }, 'the operator ends');
  process.exitCode = 1;
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
  const { podName, workers, directProbe } = config;
  const client = await connect(config);
  const registry = createRegistry('operator');
  const caches = createCaches();
  const metrics = createOperatorMetrics(registry, caches.sandboxes, caches.pools);
  const reflectors = createReflectors({ client, caches, log, metrics: reflectorMetrics(registry) });
  const app = appOf(registry, () => reflectors.every((one) => one.hasSynced()));
  const server = createHttpServer({ app: app.listener, port: config.healthPort, log });
  await server.listen();
  const watching = Promise.all(reflectors.map((one) => one.run(signal)));
  await Promise.all(reflectors.map((one) => one.synced()));
  const metricsOf = reflectorMetrics(registry);
  const { snapshotKinds: kinds, snapshots: cache } = caches;
  watchSnapshots({ client, kinds, cache, log, metrics: metricsOf('volumesnapshots') }, signal);
  const namespace = config.settings.installNamespace;
  const key = await runtimeKey(client, namespace, signal);
  const settings = { ...config.settings, tokenKey: key };
  const recorder = createEventRecorder({
    client,
    component: 'agenttier.io/operator',
    instance: podName,
    log,
  });
  const queueMetrics = controllerMetrics(registry)('sandbox');
  const work = { client, caches, settings, recorder, log, workers, directProbe, metrics, queueMetrics };
  const identity = `${podName}_${randomUUID().slice(0, 8)}`;
  const lease = { client, namespace, name: config.leaseName, identity, log };
  const onChange = (leading: boolean): void => metrics.leading(leading);
  await Promise.all([
    runWithLease({ ...lease, onLead: (leading) => operate(work, leading), onChange, signal }),
    keepRuntimeKey({ client, namespace, key, log }, signal),
  ]);
  await recorder.flush();
  app.health.startDraining();
  await server.close();
  await watching;
}

const connect = async ({ kubeconfig }: OperatorConfig): Promise<KubeClient> =>
  createKubeClient(await loadAccess({ kubeconfig, inClusterFallback: true, env: process.env }));

/** A replica that does not lead is ready too: ready to take over, with the same caches. */
function appOf(registry: Registry, isFilled: () => boolean): { health: Health; listener: RequestListener } {
  const health = new Health();
  health.addReadiness('caches', () => isFilled() || 'the caches are not filled yet');
  return { health, listener: listenerOf(health, metricsHandler(registry)) };
}
