// SPDX-License-Identifier: Apache-2.0
import { cpSync, existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Account, handOver } from '../host/account.ts';
import { cacheFolder, cached, contentKey, filesBelow, makeFolders } from '../host/cache.ts';
import { run } from '../host/command.ts';
import { goBinary } from '../host/packages.ts';
import type { Say } from '../host/progress.ts';

interface Source {
  /** Folder of the Go module. */
  readonly module: 'tools' | 'tools/csi' | 'tools/csi-resizer' | 'tools/gvisor' | 'tools/kwok';
  /** What is built: a folder of the module, or a package that its go.mod pins. */
  readonly target: string;
  /** Files of the module, each put in the place of one that its dependencies bring. */
  readonly patch?: Readonly<Record<string, string>>;
}

const CSI = 'github.com/kubernetes-csi';

/** Programs that we build, by the name of the binary. */
const PROGRAMS = {
  node: { module: 'tools', target: './cmd/node' },
  coredns: { module: 'tools', target: './cmd/dns' },
  helm: { module: 'tools', target: 'helm.sh/helm/v3/cmd/helm' },
  netpol: { module: 'tools', target: 'sigs.k8s.io/kube-network-policies/cmd' },
  pause: { module: 'tools', target: './cmd/pause' },
  'csi-driver': { module: 'tools/csi', target: './driver' },
  'csi-provisioner': { module: 'tools/csi', target: `${CSI}/external-provisioner/v5/cmd/csi-provisioner` },
  'csi-snapshotter': { module: 'tools/csi', target: `${CSI}/external-snapshotter/v8/cmd/csi-snapshotter` },
  'snapshot-controller': {
    module: 'tools/csi',
    target: `${CSI}/external-snapshotter/v8/cmd/snapshot-controller`,
  },
  'csi-resizer': { module: 'tools/csi-resizer', target: `${CSI}/external-resizer/v2/cmd/csi-resizer` },
  kwok: { module: 'tools/kwok', target: 'sigs.k8s.io/kwok/cmd/kwok' },
  'containerd-shim-runsc-v1': {
    module: 'tools/gvisor',
    target: 'gvisor.dev/gvisor/shim',
    patch: { 'patch/oom_unix.go': 'github.com/containerd/containerd/sys/oom_unix.go' },
  },
} as const satisfies Record<string, Source>;

export type Program = keyof typeof PROGRAMS;

/** What kubectl and the servers report as their version, written in by the linker as Kubernetes' own build does. */
const VERSION = { gitVersion: 'v1.34.4', gitMajor: '1', gitMinor: '34', gitTreeState: 'clean' } as const;

function linkerFlags(): string {
  const settings = Object.entries(VERSION).flatMap(([name, value]) =>
    ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].map(
      (home) => `-X ${home}.${name}=${value}`,
    ),
  );
  return ['-s', '-w', ...settings].join(' ');
}

export interface BuildPlace {
  /** Of the checkout. */
  readonly root: string;
  readonly cache: string;
  readonly owner: Account;
}

/** Where a program is or will be in the cache: keyed by the pinned modules, its own sources and the build's flags. */
export function programPath(place: Pick<BuildPlace, 'root' | 'cache'>, program: Program): string {
  const source: Source = PROGRAMS[program];
  const module = join(place.root, source.module);
  const own = [
    ...(source.target.startsWith('./') ? filesBelow(join(module, source.target)) : []),
    ...Object.keys(source.patch ?? {}).map((file) => join(module, file)),
  ];
  const files = [
    join(module, 'go.mod'),
    join(module, 'go.sum'),
    ...own.filter((file) => !file.endsWith('_test.go')),
  ];
  const key = contentKey(module, files, linkerFlags(), process.arch);
  return join(place.cache, 'bin', key, program);
}

/** Builds the programs that the cache lacks, one after the other as each uses all cores; says which. */
export async function ensurePrograms(
  place: BuildPlace,
  programs: readonly Program[],
  say: Say,
): Promise<string> {
  const missing = programs.filter((program) => !existsSync(programPath(place, program)));
  for (const program of missing) {
    say(`go build ${program}`);
    const path = programPath(place, program);
    makeFolders(join(path, '..'), place.owner);
    await cached(path, place.owner, (draft) => build(place, program, draft));
  }
  return missing.length === 0 ? 'cached' : `built ${missing.join(', ')}`;
}

async function build(place: BuildPlace, program: Program, draft: string): Promise<void> {
  const source: Source = PROGRAMS[program];
  const module = join(place.root, source.module);
  if (source.patch === undefined) return compile(place, source, { module, draft, mode: 'readonly' });
  const copy = `${draft}.source`;
  try {
    await vendor(place, source, module, copy);
    await compile(place, source, { module: copy, draft, mode: 'vendor' });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A copy of the module with its dependencies beside it, as the module cache must not be changed, and the patch applied. */
async function vendor(place: BuildPlace, source: Source, module: string, copy: string): Promise<void> {
  makeFolders(copy, place.owner);
  for (const name of ['go.mod', 'go.sum', 'tools.go']) {
    cpSync(join(module, name), join(copy, name));
    handOver(place.owner, join(copy, name));
  }
  await go(place, copy, ['mod', 'vendor'], 'mod');
  for (const [from, to] of Object.entries(source.patch ?? {})) {
    const file = join(copy, 'vendor', to);
    if (!existsSync(file)) throw new Error(`${source.module}: nothing to patch at ${to}`);
    cpSync(join(module, from), file);
  }
}

interface Compilation {
  readonly module: string;
  readonly draft: string;
  readonly mode: 'readonly' | 'vendor';
}

function compile(place: BuildPlace, { target }: Source, { module, draft, mode }: Compilation): Promise<void> {
  return go(place, module, ['build', '-trimpath', '-ldflags', linkerFlags(), '-o', draft, target], mode);
}

async function go(
  place: BuildPlace,
  cwd: string,
  args: readonly string[],
  mode: 'readonly' | 'vendor' | 'mod',
): Promise<void> {
  const program = goBinary();
  if (program === undefined) throw new Error('the go command is missing: install Go 1.21 or newer');
  await run(program, args, {
    cwd,
    as: place.owner,
    // The toolchain that go.mod names comes through the module proxy where the machine's Go is older.
    env: { CGO_ENABLED: '0', GOFLAGS: `-mod=${mode} -buildvcs=false`, GOTOOLCHAIN: 'auto', GOWORK: 'off' },
    timeoutMs: 1_800_000,
  });
}

/** The helm program in the person's cache; throws with the remedy when it has not been built. */
export function helmBinary(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const place = { root: resolve(import.meta.dirname, '../../..'), cache: cacheFolder(env, homedir()) };
  const file = programPath(place, 'helm');
  if (!existsSync(file)) throw new Error(`${file} is missing: run \`make tools\``);
  return file;
}
