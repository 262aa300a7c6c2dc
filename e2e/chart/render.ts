// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { account } from '../cluster/host/account.ts';
import { cacheFolder } from '../cluster/host/cache.ts';
import { programPath } from '../cluster/install/binaries.ts';

export type Values = Readonly<Record<string, unknown>>;

const root = join(import.meta.dirname, '../..');
export const chart = join(root, 'helm/agenttier');
const helm = programPath({ root, cache: cacheFolder(process.env, account(process.env).home) }, 'helm');
const folder = mkdtempSync(join(tmpdir(), 'agenttier-chart-'));

/** The manifests of the chart with these values. Throws what helm says when it refuses them. */
export function render(values: Values): string {
  const file = join(folder, 'values.yaml');
  writeFileSync(file, stringify(values));
  const args = ['template', 'agenttier', chart, '-n', 'agenttier', '--kube-version', '1.34.0', '-f', file];
  return execFileSync(helm, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
