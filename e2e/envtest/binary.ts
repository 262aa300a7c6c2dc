// SPDX-License-Identifier: Apache-2.0
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The multi-call binary with etcd and kube-apiserver (tools/cmd/node): AGENTTIER_NODE_BINARY, else the newest build in
 * the cache. Throws with the remedy when there is none.
 */
export async function nodeBinary(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const named = env['AGENTTIER_NODE_BINARY'];
  if (named) {
    if ((await modified(named)) === undefined)
      throw new Error(`AGENTTIER_NODE_BINARY names ${named}, which does not exist`);
    return named;
  }
  const cache = join(env['AGENTTIER_CACHE'] ?? join(homedir(), '.cache', 'agenttier'), 'bin');
  const keys = await readdir(cache).catch(() => []);
  const builds = await Promise.all(
    keys.map(async (key) => ({
      path: join(cache, key, 'node'),
      at: await modified(join(cache, key, 'node')),
    })),
  );
  const [newest] = builds.filter(({ at }) => at !== undefined).toSorted((a, b) => (b.at ?? 0) - (a.at ?? 0));
  if (!newest) {
    throw new Error(
      `no control plane binary in ${cache}: "make test" builds one, or set AGENTTIER_NODE_BINARY`,
    );
  }
  return newest.path;
}

async function modified(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}
