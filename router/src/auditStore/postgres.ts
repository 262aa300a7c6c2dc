// SPDX-License-Identifier: Apache-2.0
import { Pool } from 'pg';
import type { QueryResult } from 'pg';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { SCHEMA, insert, prune, readRow, select } from './sql.ts';
import type { Dialect, Statement } from './sql.ts';
import type { AuditRow } from './row.ts';
import type { AuditQuery, AuditStore } from './store.ts';

const DIALECT: Dialect = {
  value: (n) => `$${n}`,
  oneOf: (column, value) => `${column} = ANY(${value}::text[])`,
  list: (texts) => texts,
};

/** Any number that only this program uses: replicas that start at once make the tables one after the other. */
const SCHEMA_LOCK = 7_201_953_411;

/** Audit rows in a PostgreSQL database that all replicas share. It may come later than the router: the tables are made at the first use. */
export class PostgresStore implements AuditStore {
  readonly #pool: Pool;
  #ready: Promise<void> | undefined;

  constructor(connectionString: string, log: Logger) {
    this.#pool = new Pool({
      connectionString,
      max: 4,
      application_name: 'agenttier-router',
      connectionTimeoutMillis: 5_000,
      query_timeout: 15_000,
      statement_timeout: 15_000,
    });
    // A connection that is lost while nobody uses it says so here; without a listener it would end the process.
    this.#pool.on('error', (error) => log.warn({ err: error }, 'connection to the audit database lost'));
  }

  async append(rows: readonly AuditRow[]): Promise<void> {
    if (rows.length > 0) await this.#run(insert(rows, DIALECT));
  }

  async find(query: AuditQuery): Promise<readonly AuditRow[]> {
    return (await this.#run(select(query, DIALECT))).rows.map(readRow);
  }

  async prune(before: number): Promise<number> {
    return (await this.#run(prune(before, DIALECT))).rowCount ?? 0;
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #run({ text, values }: Statement): Promise<QueryResult<Record<string, unknown>>> {
    this.#ready ??= this.#makeTables().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    await this.#ready;
    return this.#pool.query<Record<string, unknown>>(text, [...values]);
  }

  async #makeTables(): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
      for (const statement of SCHEMA) await client.query(statement);
      await client.query('COMMIT');
    } finally {
      // What did not come to its end is undone with the connection.
      client.release(true);
    }
  }
}
