// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { type Snapshot, leftovers, takeSnapshot } from './clean.ts';
import { chooseCluster } from './cluster.ts';
import { account, elevate, widenPath } from './host/account.ts';
import { cacheFolder } from './host/cache.ts';
import { removeEnv } from './install/env.ts';
import { stopKind } from './kind.ts';
import { nodeOwner, readBefore } from './node/state.ts';
import { teardown } from './node/teardown.ts';

/**
 * `make down`: removes the cluster that `make up` made; of an existing cluster nothing is touched. With `--verify` it
 * fails when the machine has a process, mount, interface, firewall rule, cgroup or folder that was not there before.
 */
async function down(verify: boolean): Promise<void> {
  process.env['PATH'] = widenPath(process.env['PATH'] ?? '');
  const env = process.env;
  const kind = nodeOwner() === undefined ? await chooseCluster(env['CLUSTER']) : 'bare';
  if (kind === 'bare') elevate(env);
  const owner = account(env);
  const place = { root: resolve(import.meta.dirname, '../..'), cache: cacheFolder(env, owner.home), owner };
  const before = readBefore();
  if (kind === 'kind') await stopKind(place);
  if (kind === 'bare') await teardown();
  removeEnv(place.root);
  if (verify && before !== undefined) await verifyClean(before.snapshot);
}

async function verifyClean(before: Snapshot): Promise<void> {
  const left = leftovers(before, await takeSnapshot());
  if (left.length > 0) throw new Error(`left behind:\n  ${left.join('\n  ')}`);
  process.stdout.write('nothing left behind\n');
}

await down(process.argv.includes('--verify')).catch((error: unknown) => {
  process.stderr.write(`make down failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
