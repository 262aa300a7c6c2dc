// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { KubernetesEvents } from './kubernetesEvents.ts';
import type { AuditSettings } from './settings.ts';
import type { AuditStore } from './store.ts';

/** The store that the settings name. Databases are loaded only where one is used: they cost memory. */
export async function openAuditStore(
  settings: AuditSettings,
  client: Pick<KubeClient, 'list'>,
  log: Logger,
): Promise<AuditStore> {
  if (settings.store === 'sqlite') {
    const { SqliteStore } = await import('./sqlite.ts');
    return new SqliteStore(settings.sqlitePath);
  }
  if (settings.store === 'postgres') {
    const { PostgresStore } = await import('./postgres.ts');
    return new PostgresStore(settings.postgresUrl, log);
  }
  return new KubernetesEvents(client);
}
