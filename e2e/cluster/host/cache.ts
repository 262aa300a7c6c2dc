// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Account, handOver } from './account.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Folder for what is expensive to make again: outside the checkout, shared by all checkouts of the person. */
export function cacheFolder(env: Environment, home: string): string {
  return env['AGENTTIER_CACHE'] ?? join(home, '.cache', 'agenttier');
}

/** All files below a path (or the path itself), in a stable order; missing paths have none. */
export function filesBelow(path: string, skip: (path: string) => boolean = () => false): string[] {
  if (!existsSync(path) || skip(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name), skip));
}

/** Hash over names (relative to `root`), modes and contents of files, and over further texts. */
export function contentKey(root: string, files: readonly string[], ...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) {
    const mode = statSync(file).mode & 0o111 ? 'x' : '-';
    const content = readFileSync(file);
    hash.update(`${relative(root, file)}\0${mode}\0${content.length}\0`).update(content);
  }
  for (const text of texts) hash.update(`\0${text}`);
  return hash.digest('hex').slice(0, 16);
}

/**
 * The cached thing at `path`, made by `make` when it is not there. `make` writes to the path it is given, which is moved
 * into place when it has succeeded: a build that was cut off leaves nothing that looks finished.
 */
export async function cached(
  path: string,
  owner: Account,
  make: (draft: string) => Promise<void>,
): Promise<'cached' | 'made'> {
  if (existsSync(path)) return 'cached';
  const draft = `${path}.draft-${process.pid}`;
  makeFolders(join(path, '..'), owner);
  try {
    await make(draft);
    renameSync(draft, path);
    handOver(owner, path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return 'made';
}

/** Makes a folder and its parents, each that is new in the person's name. */
export function makeFolders(folder: string, owner: Account): void {
  if (existsSync(folder)) return;
  makeFolders(join(folder, '..'), owner);
  mkdirSync(folder, { recursive: true });
  handOver(owner, folder);
}
