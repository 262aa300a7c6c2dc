// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { startPostgres } from '@agenttier/machinery/testing/postgres';
import type { TestDatabase } from '@agenttier/machinery/testing/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresStore } from './postgres.ts';
import { rowOf } from './row.ts';
import type { AuditRow } from './row.ts';
import { SqliteStore } from './sqlite.ts';
import type { AuditStore } from './store.ts';

const DAY = 24 * 3_600_000;
const START = Date.parse('2026-03-01T00:00:00Z');

/** One row an hour, by two people on three sandboxes. */
const rows: AuditRow[] = Array.from({ length: 60 }, (_, i) =>
  rowOf(
    {
      actor:
        i % 2 === 0 ? { sub: 'ann', email: 'ann@example.com' } : { sub: "bob'; DROP TABLE audit_events; --" },
      action: i % 5 === 0 ? 'TerminalOpened' : 'ExecRun',
      resource: 'Sandbox',
      namespace: i % 3 === 0 ? 'team-a' : 'team-b',
      name: `box-${i % 3}`,
      uid: `uid-${i % 3}`,
      outcome: 'allowed',
      reason: 'a "quoted" ü 😀 reason',
    },
    'A note',
    START + i * 3_600_000,
  ),
);
const newestFirst = [...rows].reverse();
const folder = mkdtempSync(join(tmpdir(), 'agenttier-audit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What every store must do. */
function keepsItsPromises(open: () => Promise<AuditStore>): void {
  let store: AuditStore;
  beforeAll(async () => {
    store = await open();
    await store.append(rows);
  });
  afterAll(() => store.close());
  const ids = async (query: Partial<Parameters<AuditStore['find']>[0]>) =>
    (await store.find({ limit: 1000, ...query })).map(({ id }) => id);
  const idsWhere = (holds: (row: AuditRow) => boolean) => newestFirst.filter(holds).map(({ id }) => id);

  it('gives back what it was given, newest first, and keeps nothing twice', async () => {
    await store.append(rows.slice(10, 20));
    expect(await store.find({ limit: 1000 })).toEqual(newestFirst);
  });

  it('narrows by everything that can be asked for', async () => {
    expect(await ids({ name: 'box-1' })).toEqual(idsWhere((row) => row.name === 'box-1'));
    expect(await ids({ namespace: 'team-a' })).toEqual(idsWhere((row) => row.namespace === 'team-a'));
    expect(await ids({ type: 'ExecRun' })).toEqual(idsWhere((row) => row.type === 'ExecRun'));
    expect(await ids({ user: 'ann' })).toEqual(idsWhere((row) => row.userSub === 'ann'));
    expect(await ids({ user: 'ann@example.com' })).toEqual(idsWhere((row) => row.userSub === 'ann'));
    const [from, to] = [START + 10 * 3_600_000, START + 20 * 3_600_000];
    expect(await ids({ from, to })).toEqual(idsWhere((row) => row.at >= from && row.at < to));
    expect(await ids({ name: 'box-1', type: 'TerminalOpened', user: 'ann' })).toEqual(
      idsWhere((row) => row.name === 'box-1' && row.type === 'TerminalOpened' && row.userSub === 'ann'),
    );
    expect(await ids({ name: "' OR 1=1 --" })).toEqual([]);
  });

  it('shows others what concerns them only', async () => {
    expect(await ids({ reader: { uids: ['uid-1'], sub: 'ann' } })).toEqual(
      idsWhere((row) => row.uid === 'uid-1' || row.userSub === 'ann'),
    );
    expect(await ids({ reader: { uids: ['uid-1'] } })).toEqual(idsWhere((row) => row.uid === 'uid-1'));
    expect(await ids({ reader: { uids: [] } })).toEqual([]);
  });

  it('goes on where a page has ended', async () => {
    const seen: string[] = [];
    for (let before: string | undefined; ; ) {
      const page = await ids({ limit: 7, before });
      seen.push(...page);
      before = page.at(-1);
      if (page.length < 7) break;
    }
    expect(seen).toEqual(newestFirst.map(({ id }) => id));
  });

  it('forgets what is old', async () => {
    expect(await store.prune(START + DAY)).toBe(24);
    expect(await store.prune(START + DAY)).toBe(0);
    expect(await ids({})).toEqual(idsWhere((row) => row.at >= START + DAY));
  });
}

describe('SQLite', () => {
  const path = join(folder, 'audit.db');
  keepsItsPromises(async () => new SqliteStore(path));

  it('keeps rows over a restart, in a file that is for this user only', async () => {
    const again = new SqliteStore(path);
    expect(await again.find({ limit: 1 })).toEqual(newestFirst.slice(0, 1));
    await again.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

describe('PostgreSQL', () => {
  let database: TestDatabase;
  let url = '';
  beforeAll(async () => {
    database = await startPostgres();
    url = database.url;
  }, 60_000);
  afterAll(() => database.stop());

  describe('with one replica', () => keepsItsPromises(async () => new PostgresStore(url, silentLogger)));

  it('makes its tables once, however many replicas start at the same time', async () => {
    const replicas = Array.from({ length: 6 }, () => new PostgresStore(url, silentLogger));
    const found = await Promise.all(replicas.map((store) => store.find({ limit: 1 })));
    expect(found.every((rows) => rows.length === 1)).toBe(true);
    await Promise.all(replicas.map((store) => store.close()));
  });
});
