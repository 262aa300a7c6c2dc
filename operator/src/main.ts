// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { createEventRecorder } from '@agenttier/machinery/events/recorder';
import { Health } from '@agenttier/machinery/http/health';
import { createHttpServer } from '@agenttier/machinery/http/server';
import { createKubeClient } from '@agenttier/machinery/kube/client';
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
import { listenerOf } from './listener.ts';
import { createOperatorMetrics } from './metrics.ts';
import { operate } from './operator.ts';

const config = readConfig(process.env);
const log = createLogger({ component: 'operator', level: config.logLevel });
const signal = rootSignal();

try {
  await main();
} catch (error) {
  // A lost lease ends here too: another replica leads by now, and a fresh process has no half-done work to forget.
  log.fatal({ err: error }, 'the operator ends');
  process.exitCode = 1;
}
// Keep-alive sockets and timers of a process that is done must not hold it.
process.exit();

async function main(): Promise<void> {
  const { settings, podName, workers, directProbe } = config;
  const access = await loadAccess({
    kubeconfig: config.kubeconfig,
    inClusterFallback: true,
    env: process.env,
  });
  const client = createKubeClient(access);
  const registry = createRegistry('operator');
  const caches = createCaches();
  const metrics = createOperatorMetrics(registry, caches.sandboxes);
  const reflectors = createReflectors({ client, caches, log, metrics: reflectorMetrics(registry) });
  const serving = await serve(registry, () => reflectors.every((one) => one.hasSynced()));
  const watching = Promise.all(reflectors.map((one) => one.run(signal)));
  await Promise.all(reflectors.map((one) => one.synced()));
  const recorder = createEventRecorder({
    client,
    component: 'agenttier.io/operator',
    instance: podName,
    log,
  });
  const queueMetrics = controllerMetrics(registry)('sandbox');
  const work = { client, caches, settings, recorder, log, workers, directProbe, metrics, queueMetrics };
  const identity = `${podName}_${randomUUID().slice(0, 8)}`;
  const lease = { client, namespace: settings.installNamespace, name: config.leaseName, identity, log };
  const onChange = (leading: boolean): void => metrics.leading(leading);
  await runWithLease({ ...lease, onLead: (leading) => operate(work, leading), onChange, signal });
  await recorder.flush();
  await serving.end();
  await watching;
}

/** A replica that does not lead is ready too: ready to take over, with the same caches. */
async function serve(registry: Registry, isFilled: () => boolean): Promise<{ end: () => Promise<void> }> {
  const health = new Health();
  health.addReadiness('caches', () => isFilled() || 'the caches are not filled yet');
  const app = listenerOf(health, metricsHandler(registry));
  const server = createHttpServer({ app, port: config.healthPort, log });
  await server.listen();
  return {
    end: () => {
      health.startDraining();
      return server.close();
    },
  };
}
