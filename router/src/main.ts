// SPDX-License-Identifier: Apache-2.0
// First: from here on a SIGTERM is heard.
import { signal } from '@agenttier/machinery/runtime/rootSignal';
import { drainOnAbort } from '@agenttier/machinery/http/drain';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { createLogger } from '@agenttier/machinery/telemetry/log';
import { createRegistry } from '@agenttier/machinery/telemetry/metrics';
import { tracerFromEnvironment } from '@agenttier/machinery/telemetry/otelEnvironment';
import { readConfig } from './config.ts';
import { createRouter } from './router.ts';

const COMPONENT = 'router';

async function main(): Promise<void> {
  const result = readConfig(process.env);
  if (!result.ok) {
    createLogger({ component: COMPONENT }).fatal(
      { problems: result.problems },
      'the configuration is not valid',
    );
    process.exitCode = 1;
    return;
  }
  const { config } = result;
  const log = createLogger({ component: COMPONENT, level: config.logLevel });
  if (config.devAuth) {
    log.warn(
      'development mode: every caller is an administrator, credentials are not checked (AGENTTIER_DEV_AUTH)',
    );
  }
  const access = await loadAccess({
    kubeconfig: config.kubeconfig,
    context: config.kubeContext,
    inClusterFallback: true,
    env: process.env,
  });
  // Nobody has been let in yet: there is nobody to wait for.
  if (signal.aborted) return;
  const client = createKubeClient(access, { userAgent: 'agenttier-router' });
  const tracer = await tracerFromEnvironment(COMPONENT, process.env, log);
  const router = createRouter({ config, access, client, log, tracer, registry: createRegistry(COMPONENT) });
  await router.listen();
  // The watches outlive the signal: requests that are still running read from what they keep current.
  const watching = new AbortController();
  const watched = router.watch(watching.signal);
  await drainOnAbort({ signal, health: router.health, servers: [router], delayMs: config.drainDelayMs, log });
  watching.abort();
  await watched;
  await tracer.flush();
  await client.close();
}

await main();
