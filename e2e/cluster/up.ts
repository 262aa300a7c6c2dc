// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { account, elevate, widenPath } from './host/account.ts';
import { cacheFolder } from './host/cache.ts';
import { ensurePackages } from './host/packages.ts';
import { Progress } from './host/progress.ts';
import { ensurePrograms, type Program } from './install/binaries.ts';
import { startBareNode } from './node/bare.ts';

const env = process.env;
process.env['PATH'] = widenPath(env['PATH'] ?? '');
elevate(env);
const owner = account(env);
const place = { root: resolve(import.meta.dirname, '../..'), cache: cacheFolder(env, owner.home), owner };
const progress = new Progress();
const programs: Program[] = ['node', 'coredns', 'helm', 'netpol', 'pause'];
await progress.step('packages', () => ensurePackages());
await progress.step('programs', (say) => ensurePrograms(place, programs, say));
await startBareNode(place, progress);
