// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { LIB, renderClientManifest, renderElementsManifest } from './manifest.ts';
import type { Entries, Workspace } from './manifest.ts';
import { rewriteSpecifiers, sheetPath, sheetsOf } from './specifiers.ts';

const root = join(import.meta.dirname, '..', '..');
const client = join(root, 'sdk', 'typescript');
const elements = join(root, 'webui');
const run = promisify(execFile);
const require = createRequire(import.meta.url);

const read = (path: string): Promise<string> => readFile(path, 'utf8');
const readJson = async <T>(path: string): Promise<T> => JSON.parse(await read(path)) as T;
const writeJson = (path: string, value: object): Promise<void> =>
  writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);

/** Packages are of the version of the chart that they were built with. */
export async function readVersion(): Promise<string> {
  const { version } = parse(await read(join(root, 'helm', 'agenttier', 'Chart.yaml'))) as { version: string };
  return version;
}

/** Puts the client together in a folder, as it is unpacked. */
export async function stageClient(folder: string): Promise<void> {
  await compile(join(client, 'tsconfig.pack.json'), join(folder, LIB));
  await nameModules(join(folder, LIB));
  const entries = { '.': 'client', './events': 'events' };
  const workspace = await readJson<Workspace>(join(client, 'package.json'));
  await writeJson(
    join(folder, 'package.json'),
    renderClientManifest(workspace, await readVersion(), entries),
  );
  await copyFile(join(client, 'README.md'), join(folder, 'README.md'));
}

/** Puts the elements together in a folder, as they are unpacked. */
export async function stageElements(folder: string): Promise<void> {
  const lib = join(folder, LIB);
  const built = join(folder, 'built');
  await compile(join(elements, 'pack', 'tsconfig.json'), built);
  await cp(join(built, 'webui', 'src'), lib, { recursive: true });
  await cp(join(built, 'crds', 'src'), join(lib, 'crds'), { recursive: true });
  await rm(built, { recursive: true });
  await nameModules(lib);
  const workspace = await readJson<Workspace>(join(elements, 'package.json'));
  await writeJson(
    join(folder, 'package.json'),
    renderElementsManifest(workspace, await readVersion(), await readEntries()),
  );
  const described = await read(join(elements, 'custom-elements.json'));
  await writeFile(
    join(folder, 'custom-elements.json'),
    described.replaceAll(/"path": "src\/(.*)\.ts"/g, `"path": "${LIB}/$1.js"`),
  );
  await copyFile(join(elements, 'pack', 'README.md'), join(folder, 'README.md'));
}

/** Packs a staged folder; answers with the path of the tarball. */
export async function packFolder(folder: string, target: string): Promise<string> {
  await mkdir(target, { recursive: true });
  const args = ['pack', '--silent', '--ignore-scripts', '--offline', '--pack-destination', target];
  const { stdout } = await run('npm', args, { cwd: folder });
  return join(target, basename(stdout.trim()));
}

async function compile(project: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await run(join(root, 'node_modules', '.bin', 'tsc'), ['-p', project, '--outDir', folder]);
}

/** One entry per element, under the name of its tag, and those that define none. */
async function readEntries(): Promise<Entries> {
  const { modules } = await readJson<{ modules: { path: string; exports: { name: string }[] }[] }>(
    join(elements, 'custom-elements.json'),
  );
  const ofElements = modules.map(({ path, exports: [defined] }) => [
    `./${(defined?.name ?? '').replace('agenttier-', '')}`,
    path.replace(/^src\/(.*)\.ts$/, '$1'),
  ]);
  return {
    '.': 'elements',
    './react': 'react',
    './vue': 'vue',
    './text': 'text/text',
    ...Object.fromEntries(ofElements),
  };
}

/** Rewrites what the modules below a folder import, and puts the style sheets there that they import as text. */
async function nameModules(lib: string): Promise<void> {
  for (const file of await readdir(lib, { recursive: true })) {
    if (!/\.(js|d\.ts)$/.test(file)) continue;
    const code = await read(join(lib, file));
    for (const sheet of sheetsOf(code)) await writeSheet(lib, sheet);
    await writeFile(join(lib, file), rewriteSpecifiers(code, file));
  }
}

async function writeSheet(lib: string, specifier: string): Promise<void> {
  const [path = ''] = specifier.split('?');
  const text = await read(require.resolve(path));
  const target = join(lib, sheetPath(specifier));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, `export default ${JSON.stringify(text)};\n`);
}
