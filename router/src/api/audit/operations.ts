// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import type { AuditRow } from '../../auditStore/row.ts';
import type { AuditQuery, AuditReader } from '../../auditStore/store.ts';
import { roleOn } from '../../auth/authorize.ts';
import type { Principal } from '../../auth/principal.ts';
import { BY_READER, userReader } from '../../cluster/caches.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import type { Call, Reply } from '../route.ts';
import { headOf, lineOf } from './export.ts';
import type { ExportFormat } from './export.ts';
import { cursorOf, readAuditQuery } from './query.ts';

export interface AuditOptions {
  readonly stores: Pick<Stores, 'sandboxes'>;
  readonly find: (query: AuditQuery) => Promise<readonly AuditRow[]>;
}

const PAGE = 500;

/** What has been done, for administrators and for those whom it concerns. */
export function auditOperations(
  options: AuditOptions,
): Pick<Handlers, 'listAuditEvents' | 'exportAuditEvents'> {
  return {
    listAuditEvents: (call) => list(options, call),
    exportAuditEvents: (call) => exported(options, call),
  };
}

/** Owners read what happened to the sandboxes that they have now; everybody reads what they have done themselves. */
function readerOf({ stores }: AuditOptions, principal: Principal): AuditReader | undefined {
  if (principal.isAdmin) return undefined;
  const owned = stores.sandboxes
    .byIndex(BY_READER, userReader(principal.sub))
    .filter((sandbox) => roleOn(principal, sandbox) === 'owner');
  const limited = principal.namespaces !== undefined || (principal.key?.allowedNamespaces.length ?? 0) > 0;
  return {
    sub: limited ? undefined : principal.sub,
    uids: owned.flatMap(({ metadata }) => metadata.uid ?? []),
  };
}

async function list(options: AuditOptions, { principal, query }: Call): Promise<Reply> {
  const asked = readAuditQuery(query, readerOf(options, principal));
  // One more than asked for tells whether there is another page.
  const found = await options.find({ ...asked, limit: asked.limit + 1 }).catch(unreadable);
  const shown = found.slice(0, asked.limit);
  const last = found.length > shown.length ? shown.at(-1) : undefined;
  return {
    status: 200,
    body: { events: shown.map(eventOf), ...(last === undefined ? {} : { continue: cursorOf(last.id) }) },
  };
}

/** What a database says names its address and its user: that is for the log, which has it. */
function unreadable(error: unknown): never {
  if (isKubeError(error)) throw error;
  throw refusals.unavailable('the audit store cannot be read at the moment');
}

/** Names as clients have known them before there was more than sandboxes. */
function eventOf(row: AuditRow) {
  const sandbox = row.resource === SANDBOXES.kind ? row.name : '';
  return {
    id: row.id,
    timestamp: new Date(row.at).toISOString(),
    eventType: row.type,
    sandboxId: sandbox,
    sandboxName: sandbox,
    namespace: row.namespace,
    userEmail: row.userEmail,
    user: row.userSub,
    outcome: row.outcome,
    resource: row.resource,
    name: row.name,
    sourceIp: row.sourceIp,
    details: { reason: row.note || row.reason, ...(row.reason === '' ? {} : { code: row.reason }) },
  };
}

function exported(options: AuditOptions, { principal, query, signal }: Call): Reply {
  const format: ExportFormat = query.get('format') === 'csv' ? 'csv' : 'ndjson';
  const asked = readAuditQuery(query, readerOf(options, principal));
  async function* lines(): AsyncGenerator<string> {
    yield headOf(format);
    let before = asked.before;
    while (!signal.aborted) {
      const rows = await options.find({ ...asked, before, limit: PAGE });
      yield rows.map((row) => lineOf(row, format)).join('');
      before = rows.at(-1)?.id;
      if (rows.length < PAGE) return;
    }
  }
  return {
    status: 200,
    stream: Readable.from(lines(), { objectMode: false }),
    headers: {
      'Content-Type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
      'Content-Disposition': `attachment; filename="audit.${format}"`,
    },
  };
}
