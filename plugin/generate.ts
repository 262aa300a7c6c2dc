// SPDX-License-Identifier: Apache-2.0
/**
 * Derives the reference page from the commands themselves. `node plugin/generate.ts` writes it, `--check` only compares
 * and exits 1 on drift.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { renderCommands } from './generator/reference.ts';
import type { Host } from './src/context/host.ts';
import { buildProgram } from './src/root.ts';

const path = 'docs/reference/plugin.md';
const file = join(dirname(fileURLToPath(import.meta.url)), '..', path);

// The commands are only looked at: none runs, so none asks for its host.
const page = renderCommands(buildProgram({ host: {} as Host, exitCode: 0 }));

function current(): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const isStale = current() !== page;
if (process.argv.includes('--check')) {
  if (isStale) process.stderr.write(`${path} is out of date: run 'npm run generate'\n`);
  process.exitCode = isStale ? 1 : 0;
} else if (isStale) {
  writeFileSync(file, page);
  process.stdout.write(`wrote ${path}\n`);
}
