// SPDX-License-Identifier: Apache-2.0
import type { AuditQuery, AuditReader } from '../../auditStore/store.ts';
import { refusals } from '../errors.ts';

const DEFAULT_LIMIT = 200;
const MARK = '1:';

/** What a request asks the store for. Throws 400 for a time or a cursor that is none. */
export function readAuditQuery(query: URLSearchParams, reader: AuditReader | undefined): AuditQuery {
  const text = (name: string): string | undefined => query.get(name) || undefined;
  return {
    reader,
    name: text('sandbox'),
    namespace: text('namespace'),
    user: text('user'),
    type: text('type'),
    from: momentIn(query, 'from'),
    to: momentIn(query, 'to'),
    before: cursorIn(query),
    limit: Number(query.get('limit')) || DEFAULT_LIMIT,
  };
}

export const cursorOf = (id: string): string => Buffer.from(MARK + id).toString('base64url');

function cursorIn(query: URLSearchParams): string | undefined {
  const given = query.get('continue');
  if (!given) return undefined;
  const text = Buffer.from(given, 'base64url').toString();
  if (!text.startsWith(MARK)) throw refusals.badRequest('continue is not one that a list has given');
  return text.slice(MARK.length);
}

/** RFC 3339; a date alone is its first moment in UTC. */
const MOMENT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

function momentIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (!text) return undefined;
  const at = MOMENT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw refusals.badRequest(`${name} must be a time such as 2026-01-31T12:00:00Z`);
  return at;
}
