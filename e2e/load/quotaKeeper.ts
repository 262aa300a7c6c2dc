// SPDX-License-Identifier: Apache-2.0
import { createKubeClient } from '@agenttier/machinery/kube/client';
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { createLogger } from '@agenttier/machinery/telemetry/log';
import { createCaches, createReflectors } from '../../operator/src/caches.ts';
import { keepQuotas } from '../../operator/src/quota/controller.ts';

/**
 * The operator's part in quotas, as a process of its own: turns reservations into usage, so that ledgers stay as short as
 * in a cluster. Ends with its standard input. Prints one line once it has seen everything.
 */
const stop = new AbortController();
process.stdin.resume().on('end', () => stop.abort());
const log = createLogger({ component: 'quota-keeper', level: 'warn', destination: process.stderr });
const client = createKubeClient(await loadAccess({ env: process.env }));
const caches = createCaches();
const reflectors = createReflectors({ client, caches, log });
const watching = reflectors.map((one) => one.run(stop.signal));
await Promise.all(reflectors.map((one) => one.synced()));
process.stdout.write('ready\n');
await Promise.all([keepQuotas({ client, caches, log }, stop.signal), ...watching]);
await client.close();
