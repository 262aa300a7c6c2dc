// SPDX-License-Identifier: Apache-2.0
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue } from 'node:sqlite';
import { SCHEMA, insert, prune, readRow, select, valuesOf } from './sql.ts';
import type { Dialect, Statement } from './sql.ts';
import type { AuditRow } from './row.ts';
import type { AuditQuery, AuditStore } from './store.ts';

const DIALECT: Dialect = {
  value: () => '?',
  oneOf: (column, value) => `${column} IN (SELECT value FROM json_each(${value}))`,
  list: (texts) => JSON.stringify(texts),
};

/** Forgetting a year at once would hold up everything else of this process. */
const PRUNED_AT_ONCE = 5_000;

/**
 * Audit rows in a file of this process alone: for one replica. The database is part of Node and works in its only thread,
 * so what is asked of it is kept small: batches in one transaction, pages, and no more than a few thousand rows forgotten
 * at a time. With a write-ahead log a batch waits for no disk; the last ones before a crash of the machine may be lost.
 */
export class SqliteStore implements AuditStore {
  readonly #database: DatabaseSync;

  /** `:memory:` keeps nothing. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 5_000 });
    if (path !== ':memory:') chmodSync(path, 0o600);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    for (const statement of SCHEMA) this.#database.exec(statement);
  }

  async append(rows: readonly AuditRow[]): Promise<void> {
    const [first] = rows;
    if (first === undefined) return;
    const statement = this.#database.prepare(insert([first], DIALECT).text);
    this.#database.exec('BEGIN');
    try {
      for (const row of rows) statement.run(...valuesOf(row));
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  async find(query: AuditQuery): Promise<readonly AuditRow[]> {
    return this.#prepared(select(query, DIALECT), (statement, values) =>
      statement.all(...values).map(readRow),
    );
  }

  async prune(before: number): Promise<number> {
    const { text, values } = prune(before, DIALECT);
    const few = `DELETE FROM audit_events WHERE id IN (${text.replace('DELETE', 'SELECT id')} LIMIT ${PRUNED_AT_ONCE})`;
    let total = 0;
    for (;;) {
      const gone = this.#prepared({ text: few, values }, (statement, given) =>
        Number(statement.run(...given).changes),
      );
      total += gone;
      if (gone < PRUNED_AT_ONCE) return total;
      await new Promise(setImmediate);
    }
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #prepared<T>(
    { text, values }: Statement,
    use: (statement: ReturnType<DatabaseSync['prepare']>, values: SQLInputValue[]) => T,
  ): T {
    return use(this.#database.prepare(text), values as SQLInputValue[]);
  }
}
