// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@agenttier/machinery/testing/until';
import { Client } from 'pg';

const INSTALLED = '/usr/lib/postgresql';

/** Folder of the programs of a PostgreSQL server on this machine, if there is one. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a)) : [];
  return versions
    .map((version) => join(INSTALLED, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')));
}

export interface TestDatabase {
  readonly url: string;
  stop(): Promise<void>;
}

/** A server of its own on a socket in a folder of its own, gone afterwards. */
export async function startPostgres(bin: string): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'agenttier-postgres-'));
  const user = unprivileged();
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const options = { cwd: folder, ...user };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'test', '-A', 'trust', '--no-sync'], {
    ...options,
    stdio: 'ignore',
  });
  const args = ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off'];
  const server = spawn(join(bin, 'postgres'), args, { ...options, stdio: 'ignore' });
  const url = `postgres://test@/postgres?host=${encodeURIComponent(folder)}`;
  await until(() => answers(url), 'the database to answer', 30_000);
  return {
    url,
    stop: async () => {
      const ended = new Promise((resolve) => void server.once('exit', resolve));
      server.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server refuses to run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  return process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;
}

async function answers(connectionString: string): Promise<boolean> {
  const client = new Client({ connectionString });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
