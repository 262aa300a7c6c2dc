// SPDX-License-Identifier: Apache-2.0
/**
 * Packs the bundled plugin for krew: `node images/bundle.ts plugin && node plugin/krew/pack.ts --base-url URL` writes
 * plugin/dist/krew/agenttier-VERSION.tar.gz and, with its hash, agenttier.yaml beside it. URL is the folder of the release.
 */
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { pack } from './archive.ts';

const { values } = parseArgs({ options: { 'base-url': { type: 'string' } } });
const base = values['base-url'];
if (base === undefined || !base.startsWith('https://')) {
  process.stderr.write('say where the archive will be: --base-url https://...\n');
  process.exitCode = 2;
} else {
  const files = await pack({ dist: join(import.meta.dirname, '../dist'), version: manifest.version, base });
  process.stdout.write(files.map((file) => `${file}\n`).join(''));
}
