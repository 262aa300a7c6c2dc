// SPDX-License-Identifier: Apache-2.0
// First: from here on a SIGTERM is heard.
import { signal } from '@agenttier/machinery/runtime/rootSignal';
import { LABEL_MANAGED } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { Health } from '@agenttier/machinery/http/health';
import { healthListener } from '@agenttier/machinery/http/listener';
import { createHttpServer } from '@agenttier/machinery/http/server';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import type { Store } from '@agenttier/machinery/reflector/store';
import { createLogger } from '@agenttier/machinery/telemetry/log';
import { createRegistry, metricsHandler, reflectorMetrics } from '@agenttier/machinery/telemetry/metrics';
import type { Registry } from '@agenttier/machinery/telemetry/metrics';
import { readConfig } from './config.ts';
import type { GatewayConfig } from './config.ts';
import { Callers } from './identity/callers.ts';
import { leanPod, leanSandbox } from './identity/lean.ts';
import { createGatewayMetrics } from './metrics.ts';
import { addressFilter } from './names/addresses.ts';
import { createResolve, systemNameServer } from './names/resolve.ts';
import { createProxy } from './proxy/server.ts';

/** Less than the pod's grace period: time for downloads to end, and for the rest of the shutdown. */
const DRAIN_MS = 25_000;

const log = createLogger({ component: 'gateway', level: process.env['LOG_LEVEL'] });

try {
  await main(readConfig(process.env));
} catch (error) {
  // One that was asked to stop before its caches were filled has nothing to finish.
  if (!signal.aborted) {
    log.fatal({ err: error }, 'the gateway ends');
    process.exitCode = 1;
  }
}
process.exit();

async function main(config: GatewayConfig): Promise<void> {
  const access = await loadAccess({
    kubeconfig: config.kubeconfig,
    inClusterFallback: true,
    env: process.env,
  });
  const registry = createRegistry('gateway');
  const callers = new Callers();
  const reflectors = watchCallers(createKubeClient(access), callers, registry);
  const health = new Health();
  health.addReadiness('caches', () => reflectors.every((one) => one.hasSynced()) || 'not filled yet');
  const listener = healthListener(health, metricsHandler(registry));
  const server = createHttpServer({ app: listener, port: config.healthPort, log });
  await server.listen();
  const watching = Promise.all(reflectors.map((one) => one.run(signal)));
  await Promise.all(reflectors.map((one) => one.synced()));
  const resolve = createResolve(systemNameServer(), addressFilter(config.rules));
  const metrics = createGatewayMetrics(registry);
  const proxy = createProxy({ callers, resolve, log, metrics, limits: config.limits });
  log.info({ port: await proxy.listen(config.port) }, 'the gateway listens');
  await watching;
  health.startDraining();
  await proxy.close(DRAIN_MS);
  await server.close();
}

/** A reflector only puts in what its transform made, so the store's element type can be set aside. */
function anyStore(store: unknown): Store<KubeObject> {
  return store as Store<KubeObject>;
}

/** Reduced as they arrive: of thousands of sandboxes some kilobytes each would be kept otherwise. */
function watchCallers(client: KubeClient, callers: Callers, registry: Registry): Reflector<KubeObject>[] {
  const metrics = reflectorMetrics(registry);
  return [
    new Reflector({
      client,
      log,
      resource: PODS,
      labelSelector: `${LABEL_MANAGED}=true`,
      store: anyStore(callers.pods),
      transform: leanPod,
      metrics: metrics(PODS.plural),
    }),
    new Reflector({
      client,
      log,
      resource: SANDBOXES,
      store: anyStore(callers.sandboxes),
      transform: leanSandbox,
      metrics: metrics(SANDBOXES.plural),
    }),
  ];
}
