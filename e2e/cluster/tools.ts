// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { account, widenPath } from './host/account.ts';
import { cacheFolder } from './host/cache.ts';
import { ensurePackages } from './host/packages.ts';
import { Progress } from './host/progress.ts';
import { ensurePrograms } from './install/binaries.ts';

/** `make tools`: the programs that tests need without a node (control plane, kubectl, helm), built into the cache. */
process.env['PATH'] = widenPath(process.env['PATH'] ?? '');
const owner = account(process.env);
const place = {
  root: resolve(import.meta.dirname, '../..'),
  cache: cacheFolder(process.env, owner.home),
  owner,
};
const progress = new Progress();
await progress.step('packages', () => ensurePackages('tools'));
await progress.step('programs', (say) => ensurePrograms(place, ['node', 'helm'], say));
