// SPDX-License-Identifier: Apache-2.0
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { createLogger } from '@agenttier/machinery/telemetry/log';
import { readConfig } from '../../webhook/src/config.ts';
import { startWebhook } from '../../webhook/src/start.ts';

/**
 * A replica of the webhook as in its image, but dialled at 127.0.0.1, so that its certificate says so. Ends with its
 * standard input, and so with the process that started it. Prints one line of JSON with its ports.
 */
const stop = new AbortController();
process.stdin.resume().on('end', () => stop.abort());
const config = readConfig(process.env);
const webhook = await startWebhook({
  config,
  access: await loadAccess({ env: process.env }),
  log: createLogger({ component: 'webhook', level: 'warn', destination: process.stderr }),
  signal: stop.signal,
  ipAddresses: ['127.0.0.1'],
  drainDelayMs: 0,
});
process.stdout.write(
  `${JSON.stringify({ webhookPort: webhook.webhookPort, healthPort: webhook.healthPort })}\n`,
);
await webhook.closed;
