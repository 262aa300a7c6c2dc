// SPDX-License-Identifier: Apache-2.0
import { COLUMNS, idFloor } from './row.ts';
import type { AuditRow } from './row.ts';
import type { AuditQuery, AuditReader } from './store.ts';

/** Where two databases differ. */
export interface Dialect {
  /** The nth value of a statement, from 1. */
  readonly value: (n: number) => string;
  /** Whether a column is one of a list, which is one value. */
  readonly oneOf: (column: string, value: string) => string;
  readonly list: (texts: readonly string[]) => unknown;
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const NAMES = COLUMNS.map(snake);

/** Made at start where they are missing. */
export const SCHEMA: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS audit_events (${NAMES.map((name) =>
    name === 'id' ? 'id TEXT PRIMARY KEY' : `${name} ${name === 'at' ? 'BIGINT' : 'TEXT'} NOT NULL`,
  ).join(', ')})`,
  'CREATE INDEX IF NOT EXISTS audit_events_uid ON audit_events (uid, id)',
  'CREATE INDEX IF NOT EXISTS audit_events_user ON audit_events (user_sub, id)',
];

export const valuesOf = (row: AuditRow): (string | number)[] => COLUMNS.map((column) => row[column]);

/** One statement for so many rows. */
export function insert(rows: readonly AuditRow[], { value }: Dialect): Statement {
  const places = rows.map(
    (_, row) => `(${COLUMNS.map((__, n) => value(row * COLUMNS.length + n + 1)).join(', ')})`,
  );
  const text = `INSERT INTO audit_events (${NAMES.join(', ')}) VALUES ${places.join(', ')} ON CONFLICT (id) DO NOTHING`;
  return { text, values: rows.flatMap(valuesOf) };
}

export function select(query: AuditQuery, dialect: Dialect): Statement {
  const values: unknown[] = [];
  const put = (value: unknown): string => dialect.value(values.push(value));
  const { reader, name, namespace, user, type, from, to, before, limit } = query;
  const given = (value: unknown, condition: (place: string) => string): string[] =>
    value === undefined ? [] : [condition(put(value))];
  const conditions = [
    ...(reader === undefined ? [] : [readableBy(reader, dialect, put)]),
    ...given(name, (place) => `name = ${place}`),
    ...given(namespace, (place) => `namespace = ${place}`),
    ...(user === undefined ? [] : [`(user_sub = ${put(user)} OR user_email = ${put(user)})`]),
    ...given(type, (place) => `type = ${place}`),
    // The id begins with the time, and is what the rows are found by.
    ...given(from && idFloor(from), (place) => `id >= ${place}`),
    ...given(to && idFloor(to), (place) => `id < ${place}`),
    ...given(before, (place) => `id < ${place}`),
  ];
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const text = `SELECT ${NAMES.join(', ')} FROM audit_events${where} ORDER BY id DESC LIMIT ${put(limit)}`;
  return { text, values };
}

function readableBy({ uids, sub }: AuditReader, dialect: Dialect, put: (value: unknown) => string): string {
  const about = dialect.oneOf('uid', put(dialect.list(uids)));
  return sub === undefined ? about : `(${about} OR user_sub = ${put(sub)})`;
}

export const prune = (before: number, { value }: Dialect): Statement => ({
  text: `DELETE FROM audit_events WHERE id < ${value(1)}`,
  values: [idFloor(before)],
});

/** A row as the database gives it. */
export function readRow(record: Readonly<Record<string, unknown>>): AuditRow {
  const pairs = COLUMNS.map((column, n) => {
    const value = record[NAMES[n] ?? ''];
    return [column, column === 'at' ? Number(value) : String(value)];
  });
  return Object.fromEntries(pairs) as AuditRow;
}
