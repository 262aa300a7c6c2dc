// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import type { Server } from './server.ts';

type Query = NonNullable<Operations['listAuditEvents']['query']>;

export type AuditPage = Operations['listAuditEvents']['answer'];
export type AuditEvent = AuditPage['events'][number];
/** What is looked for; left out = any. */
export type AuditFilter = Omit<Query, 'limit' | 'continue'>;
export type AuditFormat = 'csv' | 'ndjson';

const PAGE = 100;

/** A page of what has been done, the newest first; `after` is the `continue` of the page before. */
export const listAuditEvents = (
  { api }: Server,
  filter: AuditFilter,
  after: string | undefined,
  signal?: AbortSignal,
): Promise<AuditPage> =>
  api.listAuditEvents(
    { query: { ...filter, limit: PAGE, ...(after === undefined ? {} : { continue: after }) } },
    signal === undefined ? {} : { signal },
  );

/** All that the filter lets through, as a file. */
export const exportAuditEvents = (
  { api }: Server,
  filter: AuditFilter,
  format: AuditFormat,
): Promise<Response> => api.exportAuditEvents({ query: { ...filter, format } });
