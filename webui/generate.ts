// SPDX-License-Identifier: Apache-2.0
/**
 * Derives the custom elements manifest and the table of docs/elements.md from the elements themselves: `node
 * webui/generate.ts` writes them, `--check` only compares and exits 1 on drift. An event that an element tells of and does not
 * document is an error.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { renderManifest, renderTable } from './generator/render.ts';
import { renderEvents, renderTags } from './generator/tags.ts';
import { readElement, readFields, toldIn } from './generator/source.ts';
import type { ElementSource } from './generator/source.ts';

const here = import.meta.dirname;
const folder = join(here, 'src', 'elements');
const read = (path: string): string => readFileSync(path, 'utf8');

const shared = readFields(read(join(here, 'src', 'element.ts')));
const undocumented: string[] = [];

const elements = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  .toSorted()
  .flatMap((path): ElementSource[] => {
    const text = read(join(folder, path));
    const element = readElement(path, text);
    if (element === undefined) return [];
    const known = new Set(['agenttier-error', ...element.events.map(({ name }) => name)]);
    undocumented.push(
      ...toldIn(text)
        .filter((name) => !known.has(name))
        .map((name) => `${path}: ${name}`),
    );
    return [element];
  });

const BEGIN = '<!-- made by webui/generate.ts: edit the doc comments of the elements -->\n';
const END = '<!-- end -->\n';

/** The page with its table anew. */
function renderPage(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error('docs/elements.md: the marks of the table are missing');
  return `${before}${BEGIN}\n${renderTable(elements)}\n${END}${after}`;
}

const docs = join(here, '..', 'docs', 'elements.md');
const targets = [
  {
    name: 'webui/custom-elements.json',
    file: join(here, 'custom-elements.json'),
    make: () => renderManifest(elements, shared),
  },
  {
    name: 'webui/src/generated/tags.ts',
    file: join(here, 'src', 'generated', 'tags.ts'),
    make: () => renderTags(elements, shared),
  },
  {
    name: 'webui/src/generated/events.ts',
    file: join(here, 'src', 'generated', 'events.ts'),
    make: () => renderEvents(elements),
  },
  { name: 'docs/elements.md', file: docs, make: () => renderPage(read(docs)) },
];

const current = (file: string): string | undefined => {
  try {
    return read(file);
  } catch {
    return undefined;
  }
};

for (const told of undocumented) process.stderr.write(`${told} is told and has no @fires\n`);
if (undocumented.length > 0) process.exitCode = 1;
for (const { name, file, make } of targets) {
  const made = make();
  if (current(file) === made) continue;
  if (process.argv.includes('--check')) {
    process.stderr.write(`${name} is out of date: run 'npm run generate'\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, made);
    process.stdout.write(`wrote ${name}\n`);
  }
}
