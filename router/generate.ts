// SPDX-License-Identifier: Apache-2.0
/**
 * Derives from the routes what others go by: the OpenAPI document, the page about it and the client's types.
 * `node router/generate.ts` writes it, `--check` only compares and exits 1 on drift.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { renderClient } from './generator/client.ts';
import { renderReference } from './generator/reference.ts';
import { ROUTES } from './src/api/contract.ts';
import { openApiDocument } from './src/api/openapi/document.ts';
import { API_VERSION } from './src/api/reference/operations.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Path relative to the repository -> content of every generated file. */
function generate(): Map<string, string> {
  const document = openApiDocument(ROUTES, API_VERSION);
  return new Map([
    ['docs/reference/openapi.json', `${JSON.stringify(document, null, 1)}\n`],
    ['docs/reference/rest.md', renderReference(document)],
    ['sdk/typescript/src/generated/operations.ts', renderClient(document)],
  ]);
}

function current(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

const stale = [...generate()].filter(([path, text]) => current(path) !== text);
if (process.argv.includes('--check')) {
  for (const [path] of stale) process.stderr.write(`${path} is out of date: run 'npm run generate'\n`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const [path, text] of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    process.stdout.write(`wrote ${path}\n`);
  }
}
