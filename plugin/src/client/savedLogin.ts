// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { CommandError, messageOf } from '../context/failure.ts';
import type { Host } from '../context/host.ts';

/** What `login` remembers. The names are those of the file. */
export interface SavedLogin {
  readonly api_url?: string;
  readonly api_key?: string;
  /** Token of the issuer, and what a new one is had with. */
  readonly token?: string;
  readonly token_expires_at?: string;
  readonly refresh_token?: string;
  readonly token_endpoint?: string;
  /** Where a logout has the refresh token ended; not every issuer has such a place. */
  readonly revocation_endpoint?: string;
  readonly client_id?: string;
}

/** AGENTTIER_CONFIG, or agenttier/config.json where the person's configuration is (XDG). */
export function loginFile({ environment }: Pick<Host, 'environment'>): string {
  const { AGENTTIER_CONFIG, XDG_CONFIG_HOME, HOME } = environment.variables;
  if (AGENTTIER_CONFIG) return AGENTTIER_CONFIG;
  return join(XDG_CONFIG_HOME || join(HOME ?? homedir(), '.config'), 'agenttier', 'config.json');
}

/** What was remembered; empty when nothing was. Throws CommandError for a file that cannot be used. */
export async function readLogin(host: Pick<Host, 'environment'>): Promise<SavedLogin> {
  const file = loginFile(host);
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value !== 'object' || value === null) throw new Error('it holds no object');
    return textsOf(value);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new CommandError(
      `${file} cannot be used: ${messageOf(error)}; sign in again with: kubectl agenttier login`,
      1,
      error,
    );
  }
}

/** Written beside and moved into place, so that nobody ever reads half of it; for the person's eyes only. */
export async function writeLogin(host: Pick<Host, 'environment'>, login: SavedLogin): Promise<string> {
  const file = loginFile(host);
  const draft = `${file}.${process.pid}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(draft, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600 });
    // A draft that an interrupted run left behind keeps the mode it had.
    await chmod(draft, 0o600);
    await rename(draft, file);
  } catch (error) {
    throw new CommandError(`${file} cannot be written: ${messageOf(error)}`, 1, error);
  }
  return file;
}

const textsOf = (value: object): SavedLogin =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => typeof member === 'string'));
