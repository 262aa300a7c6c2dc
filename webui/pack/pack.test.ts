// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import type { OutputChunk } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packFolder, readVersion, stageClient, stageElements } from './stage.ts';

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

interface Manifest {
  readonly version: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, string | { types: string; default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A project of somebody else: both tarballs are unpacked in it, and it has nothing else but what they depend on. */
let project = '';
const modules = () => join(project, 'node_modules');
const folderOf = (name: string) => join(modules(), '@agenttier', name);
const manifestOf = async (name: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folderOf(name), 'package.json'), 'utf8')) as Manifest;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'agenttier-pack-'));
  await writeFile(join(project, 'package.json'), '{"type": "module"}');
  await Promise.all([install('client', stageClient), install('elements', stageElements)]);
  const { dependencies = {} } = await manifestOf('elements');
  const borrowed = [...Object.keys(dependencies), 'react', 'vue', '@types/react', '@types/node'];
  for (const name of borrowed.filter((one) => !one.startsWith('@agenttier/'))) await borrow(name);
});

afterAll(() => rm(project, { recursive: true, force: true }));

async function install(name: string, stage: (folder: string) => Promise<void>): Promise<void> {
  const staged = join(project, 'staged', name);
  await mkdir(staged, { recursive: true });
  await stage(staged);
  const tarball = await packFolder(staged, project);
  await mkdir(folderOf(name), { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', folderOf(name), '--strip-components=1']);
}

/** Dependencies are taken from the workspace: a test asks no registry. */
async function borrow(name: string): Promise<void> {
  const place = [root, join(root, 'webui'), join(root, 'e2e', 'embed')]
    .map((workspace) => join(workspace, 'node_modules', name))
    .find((path) => existsSync(path));
  if (place === undefined) throw new Error(`${name} is not installed`);
  await mkdir(dirname(join(modules(), name)), { recursive: true });
  await symlink(place, join(modules(), name));
}

/** What the compiler has to say of these files, declarations of the packages included; empty when all is well. */
async function complaintsOf(files: readonly string[], module: Record<string, unknown>): Promise<string> {
  const compilerOptions = {
    ...module,
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable'],
    jsx: 'react-jsx',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: [],
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const failed = (error: { stdout: string }) => error;
  const { stdout } = await run(join(root, 'node_modules', '.bin', 'tsc'), ['-p', project]).catch(failed);
  return stdout;
}

const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' };
const NODE = { module: 'nodenext', moduleResolution: 'nodenext' };

/** The chunks of a page that has this script. */
async function bundle(script: string): Promise<readonly OutputChunk[]> {
  const input = join(project, 'page.js');
  await writeFile(input, script);
  const build = await rolldown({
    cwd: project,
    input,
    platform: 'browser',
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
  });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  return output.filter((part) => part.type === 'chunk');
}

/** The chunks that a page loads before it shows anything. */
function firstOf(chunks: readonly OutputChunk[]): readonly OutputChunk[] {
  const first = chunks.filter(({ isEntry }) => isEntry);
  const names = new Set(first.flatMap(({ fileName, imports }) => [fileName, ...imports]));
  return chunks.filter(({ fileName }) => names.has(fileName));
}

const codeOf = (chunks: readonly OutputChunk[]): string => chunks.map(({ code }) => code).join('');
const modulesOf = (chunks: readonly OutputChunk[]): string =>
  chunks.flatMap(({ moduleIds }) => moduleIds).join('\n');

describe.each(['client', 'elements'])('the tarball of the %s', (name) => {
  it('is of the version of the chart, and may be handed on', async () => {
    const manifest = await manifestOf(name);
    expect(manifest).toMatchObject({
      name: `@agenttier/${name}`,
      version: await readVersion(),
      license: 'Apache-2.0',
      type: 'module',
    });
    expect(manifest.private).toBeUndefined();
  });

  it('has every file that it offers', async () => {
    const { exports } = await manifestOf(name);
    const paths = Object.values(exports).flatMap((one) =>
      typeof one === 'string' ? [one] : [one.types, one.default],
    );
    expect(paths.length).toBeGreaterThan(3);
    expect(paths.filter((path) => !existsSync(join(folderOf(name), path)))).toEqual([]);
  });

  it('has modules and their types, no sources and no tests', async () => {
    const files = (await readdir(folderOf(name), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folderOf(name).length + 1));
    const known = /^(package\.json|custom-elements\.json|README\.md|lib\/.*\.(js|d\.ts))$/;
    expect(files.filter((file) => !known.test(file))).toEqual([]);
    expect(files.filter((file) => /\.test\.|test(ing|data)\/|catalogue|main\.js/.test(file))).toEqual([]);
  });

  it('names only modules that others can find', async () => {
    const files = (await readdir(join(folderOf(name), 'lib'), { recursive: true })).filter((file) =>
      /\.(js|d\.ts)$/.test(file),
    );
    for (const file of files) {
      const code = await readFile(join(folderOf(name), 'lib', file), 'utf8');
      expect(code, file).not.toMatch(/(from|import) ?\(?'(@agenttier\/crds|[^']*\?|\.[^']*\.ts')/);
    }
  });
});

describe('both, in a project of somebody else', () => {
  it.each([BUNDLER, NODE])(
    'are typed for $moduleResolution, in plain pages, React and Vue',
    { timeout: 60_000 },
    async (how) => {
      const own = ['client.ts', 'elements.ts'];
      const pages = ['settings.ts', 'plain/main.ts', 'react/Page.tsx'];
      for (const file of own) await cp(join(import.meta.dirname, 'consumer', file), join(project, file));
      for (const file of pages) await cp(join(root, 'e2e', 'embed', file), join(project, file));
      expect(await complaintsOf([...own, ...pages], how)).toBe('');
    },
  );
});

describe('the client', () => {
  it('asks a server from Node', async () => {
    const server = createServer((request, response) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ sandboxes: [{ name: request.url }] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const script = `import { createClient } from '@agenttier/client';
      const client = createClient({ url: 'http://127.0.0.1:${port}' });
      const { sandboxes } = await client.listSandboxes({ query: { status: 'Running' } });
      console.log(sandboxes[0].name);`;
    try {
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project });
      expect(stdout.trim()).toBe('/api/v1/sandboxes?status=Running');
    } finally {
      server.close();
    }
  });
});

describe('the elements', () => {
  it('depend on the client of their own version, and on nothing that is not handed out', async () => {
    const { dependencies = {} } = await manifestOf('elements');
    expect(dependencies['@agenttier/client']).toBe(await readVersion());
    expect(Object.keys(dependencies)).not.toContain('@agenttier/crds');
    expect(dependencies['lit']).toMatch(/^\^3\./);
  });

  it('are described, each with the module that defines it and an import of its own', async () => {
    const text = await readFile(join(folderOf('elements'), 'custom-elements.json'), 'utf8');
    const described = (JSON.parse(text) as { modules: { path: string; exports: { name: string }[] }[] })
      .modules;
    const { exports } = await manifestOf('elements');
    expect(described.length).toBeGreaterThan(25);
    for (const { path, exports: defined } of described) {
      const tag = defined[0]?.name ?? '';
      expect(exports[`./${tag.replace('agenttier-', '')}`]).toMatchObject({ default: `./${path}` });
      expect(await readFile(join(folderOf('elements'), path), 'utf8')).toContain(`customElement('${tag}')`);
    }
  });

  it('come one by one: a page with one has no other', async () => {
    const page = codeOf(firstOf(await bundle("import '@agenttier/elements/status-badge';")));
    expect(page).toContain('agenttier-status-badge');
    expect(page).not.toContain('agenttier-sandbox-card');
  });

  it('define nothing for a page that only wants their texts', async () => {
    const script = "import { registerText } from '@agenttier/elements/text'; registerText('de', {});";
    const page = codeOf(firstOf(await bundle(script)));
    expect(page).toContain('registerText');
    expect(page).not.toContain('customElement');
  });

  it('leave the emulator, its style sheet and the editor for when they are shown', async () => {
    const chunks = await bundle("import '@agenttier/elements';");
    const first = firstOf(chunks);
    expect(codeOf(first)).toContain('agenttier-terminal');
    const later = chunks.filter((chunk) => !first.includes(chunk));
    for (const part of ['@xterm/xterm/', '@xterm/addon-fit/', 'sheets/xterm.js', '@codemirror/view/']) {
      expect(modulesOf(first)).not.toContain(part);
      expect(modulesOf(later)).toContain(part);
    }
    expect(codeOf(later)).toContain('.xterm-viewport');
  });
});
