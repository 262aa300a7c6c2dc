// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { AuditEntry } from '@agenttier/machinery/telemetry/audit';

/** One act as it is stored. Everything is text, so that every database keeps it alike; what is not known is empty. */
export interface AuditRow {
  /** Sorts by time, and tells apart what happened at the same one: pages go by it. */
  readonly id: string;
  /** Milliseconds of the epoch. */
  readonly at: number;
  /** What was done, CamelCase: `ExecRun`. */
  readonly type: string;
  readonly outcome: string;
  /** Kind of what it was done to. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly userSub: string;
  readonly userEmail: string;
  readonly sourceIp: string;
  readonly reason: string;
  /** A sentence for people. */
  readonly note: string;
}

/** Columns in the order in which they are written and exported. */
export const COLUMNS = [
  'id',
  'at',
  'type',
  'outcome',
  'resource',
  'namespace',
  'name',
  'uid',
  'userSub',
  'userEmail',
  'sourceIp',
  'reason',
  'note',
] as const satisfies readonly (keyof AuditRow)[];

const MOST = 1024;
const cut = (text: string | undefined): string => (text ?? '').slice(0, MOST);

/** First id of a moment; every id of an earlier one sorts before it. */
export const idFloor = (at: number): string => Math.max(0, at).toString(36).padStart(10, '0');

/** `digest` of what everybody would tell alike; left out, the row is one of its kind. */
export function rowOf(
  entry: AuditEntry,
  note: string | undefined,
  now: number,
  digest = randomBytes(6).toString('hex'),
): AuditRow {
  const { actor, action, outcome, resource, namespace, name, uid, reason, sourceIp } = entry;
  return {
    id: `${idFloor(now)}-${digest}`,
    at: now,
    type: action,
    outcome,
    resource,
    namespace: cut(namespace),
    name: cut(name),
    uid: cut(uid),
    userSub: cut(actor.sub),
    userEmail: cut(actor.email),
    sourceIp: cut(sourceIp),
    reason: cut(reason),
    note: cut(note),
  };
}
