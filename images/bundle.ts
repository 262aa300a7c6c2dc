// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { chmod, mkdir, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { build } from 'rolldown';
import { build as buildPages } from 'vite';
import manifest from '../package.json' with { type: 'json' };

/**
 * Builds what the Dockerfiles copy in: one file of JavaScript per component, static Go programs, and the plugin. Same
 * sources give the same bytes, so a build of the images can be skipped by content.
 *
 * Usage: node images/bundle.ts [--arch amd64|arm64] [NAME...]
 * Names are those of BUNDLES and PROGRAMS below; none means all. The architecture concerns the Go programs.
 */

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

interface Bundle {
  readonly entry: string;
  /** Folder of the output. */
  readonly folder: string;
  readonly file: string;
  readonly executable?: boolean;
}

const component = (name: string): Bundle => ({
  entry: `${name}/src/main.ts`,
  folder: `images/${name}/dist`,
  file: `${name}.js`,
});

const BUNDLES: Readonly<Record<string, Bundle>> = {
  webhook: component('webhook'),
  operator: component('operator'),
  gateway: component('gateway'),
  router: component('router'),
  plugin: {
    entry: 'plugin/src/main.ts',
    folder: 'plugin/dist',
    file: 'kubectl-agenttier.js',
    executable: true,
  },
};

interface Program {
  /** Folder of the Go module. */
  readonly module: string;
  readonly file: string;
  /** Variable of the module's main package that takes the version. */
  readonly versioned: boolean;
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  runtime: { module: 'images/runtime', file: 'dist/agenttier-runtime', versioned: true },
  hello: { module: 'images/test-distroless', file: 'dist/hello', versioned: false },
};

/** Architectures of the images, as Go and Docker call them, by Node's names. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

async function bundle({ entry, folder, file, executable }: Bundle): Promise<void> {
  await rm(join(root, folder), { recursive: true, force: true });
  await build({
    cwd: root,
    input: entry,
    platform: 'node',
    // The workspaces and nearly all dependencies go in; what is imported late (credential plugins of a kubeconfig)
    // stays a file of its own that is read only when it is needed.
    output: {
      dir: folder,
      format: 'esm',
      entryFileNames: file,
      chunkFileNames: '[name]-[hash].js',
      // Names and lines stay, so that a stack trace can be read as it is: having Node apply the source maps costs
      // 21 MB of memory per process, and shorter names save none.
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
      sourcemap: true,
    },
    logLevel: 'warn',
  });
  // Rolldown keeps the entry's #! line.
  if (executable === true) await chmod(join(root, folder, file), 0o755);
}

/** The dashboard goes where the router that serves it is. */
async function bundlePages(folder: string): Promise<void> {
  const outDir = join(root, folder);
  await buildPages({ root: join(root, 'webui'), logLevel: 'warn', build: { outDir, emptyOutDir: true } });
  await report(join(folder, 'index.html'));
}

async function compile({ module, file, versioned }: Program, version: string, arch: string): Promise<void> {
  const folder = join(root, module);
  await mkdir(join(folder, 'dist'), { recursive: true });
  const settings = ['CGO_ENABLED=0', 'GOFLAGS=-mod=readonly', 'GOOS=linux', `GOARCH=${arch}`];
  const flags = versioned ? `-s -w -X main.version=${version}` : '-s -w';
  // Nobody speaks HTTP/2 with the runtime, whose size every cold node waits for.
  const small = ['-trimpath', '-buildvcs=false', '-tags', 'nethttpomithttp2', '-ldflags', flags];
  const build = ['build', '-p', '2', ...small, '-o', file, '.'];
  await run('env', [...settings, 'go', ...build], { cwd: folder });
}

async function report(path: string): Promise<void> {
  const { size } = await stat(join(root, path));
  process.stdout.write(`${relative('.', join(root, path))}  ${(size / 1e6).toFixed(2)} MB\n`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { arch: { type: 'string', default: ARCHITECTURES[process.arch] ?? process.arch } },
    allowPositionals: true,
  });
  const wanted = ([name]: [string, unknown]): boolean =>
    positionals.length === 0 || positionals.includes(name);
  for (const [, program] of Object.entries(PROGRAMS).filter(wanted)) {
    await compile(program, manifest.version, values.arch);
    await report(join(program.module, program.file));
  }
  for (const [name, target] of Object.entries(BUNDLES).filter(wanted)) {
    await bundle(target);
    await report(join(target.folder, target.file));
    if (name === 'router') await bundlePages(join(target.folder, 'pages'));
  }
}

await main();
