// SPDX-License-Identifier: Apache-2.0
/**
 * Makes tarballs of `@agenttier/client` and `@agenttier/elements` for pages elsewhere, of the version of the chart.
 *
 * Usage: node webui/pack/main.ts [--to FOLDER]
 * The folder is `dist/packages` unless another is named; what lies in it is replaced.
 */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { packFolder, stageClient, stageElements } from './stage.ts';

const { values } = parseArgs({ options: { to: { type: 'string' } } });
const target = resolve(values.to ?? join(import.meta.dirname, '..', '..', 'dist', 'packages'));

for (const [name, stage] of Object.entries({ client: stageClient, elements: stageElements })) {
  const folder = join(target, name);
  await rm(folder, { recursive: true, force: true });
  await stage(folder);
  process.stdout.write(`${await packFolder(folder, target)}\n`);
}
