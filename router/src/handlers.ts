// SPDX-License-Identifier: Apache-2.0
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import { auditOperations } from './api/audit/operations.ts';
import type { Handlers } from './api/contract.ts';
import { analyticsOperations } from './api/analytics/operations.ts';
import { backupOperations } from './api/backups/operations.ts';
import { agentOperations } from './api/agent/operations.ts';
import { checkOperations } from './api/check/operations.ts';
import { clusterOperations } from './api/cluster/operations.ts';
import { copyOperations } from './api/copies/operations.ts';
import { downloadOperations } from './api/downloads/operations.ts';
import { execOperations } from './api/exec/operations.ts';
import { explainOperations } from './api/explain/operations.ts';
import { keyOperations } from './api/keys/operations.ts';
import { fileOperations } from './api/files/operations.ts';
import { preferenceOperations } from './api/preferences/operations.ts';
import { referenceOperations } from './api/reference/operations.ts';
import { portOperations } from './api/ports/operations.ts';
import { sharingOperations } from './api/sharing/operations.ts';
import { signInOperations } from './api/signIn/operations.ts';
import { sessionOperations } from './api/signIn/sessions.ts';
import { terminalOperations } from './api/terminals/operations.ts';
import { userOperations } from './api/user/operations.ts';
import { warmPoolOperations } from './api/warmpools/operations.ts';
import { webhookOperations } from './api/webhooks/operations.ts';
import { objectHandlers } from './objectHandlers.ts';
import { previewOperations } from './preview/previews.ts';
import type { PreviewsOptions } from './preview/previews.ts';
import type { Parts } from './parts.ts';

/** Every operation of the contract, with the parts that its room needs. */
export function createHandlers(parts: Parts, previewing: PreviewsOptions): Handlers {
  const { stores, finder, client, config, metrics, runtime, activity } = parts;
  const defaultNamespace = config.sandboxNamespace;
  return {
    ...objectHandlers({ ...parts, touch: activity.touch, defaultNamespace }),
    ...terminalOperations({ finder, tickets: parts.tickets }),
    ...userOperations,
    ...keyOperations({ ...config, client, stores, finder, audit: parts.trail }),
    ...auditOperations({ stores, find: (query) => parts.kept.find(query) }),
    ...signInOperations(config),
    ...sessionOperations({ ...parts, audit: parts.trail }),
    ...referenceOperations,
    ...explainOperations({ client, finder, stores, defaultNamespace }),
    ...checkOperations({ client, stores, defaultNamespace }),
    ...agentOperations(agentOptions(parts)),
    ...portOperations({ ...parts, ...config, site: config.preview }),
    ...previewOperations(previewing),
    ...fileOperations(filesOptions(parts)),
    ...downloadOperations({ ...filesOptions(parts), desk: parts.tickets }),
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
  const { stores, finder, runtime, wake, audit, activity, tickets } = parts;
  return { stores, finder, runtime, wake, audit, tickets, touch: activity.touch };
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
  const { touch } = activity;
  const { tell } = parts.herald;
  return { client, stores, finder, runtime, wake, audit, tracer, metrics, touch, tell };
}
