// SPDX-License-Identifier: Apache-2.0
// First: from here on a SIGTERM is heard.
import { signal } from '@agenttier/machinery/runtime/rootSignal';
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { createLogger } from '@agenttier/machinery/telemetry/log';
import { tracerFromEnvironment } from '@agenttier/machinery/telemetry/otelEnvironment';
import { readConfig } from './config.ts';
import { startWebhook } from './start.ts';

const config = readConfig(process.env);
const log = createLogger({ component: 'webhook', level: config.logLevel });
try {
  const access = await loadAccess({ inClusterFallback: true, env: process.env });
  const tracer = await tracerFromEnvironment('webhook', process.env, log);
  const webhook = await startWebhook({ config, access, log, signal, tracer });
  await webhook.closed;
  await tracer.flush();
} catch (error) {
  if (!signal.aborted) {
    log.fatal({ err: error }, 'the webhook stopped');
    process.exitCode = 1;
  }
}
