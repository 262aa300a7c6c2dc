// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Account } from '../host/account.ts';
import { cacheFolder, cached, contentKey, filesBelow, makeFolders } from '../host/cache.ts';
import { run } from '../host/command.ts';
import { goBinary } from '../host/packages.ts';
import type { Say } from '../host/progress.ts';

interface Source {
  /** Folder of the Go module. */
  readonly module: 'tools' | 'tools/csi' | 'tools/csi-resizer';
  /** What is built: a folder of the module, or a package that its go.mod pins. */
  readonly target: string;
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
  const own = source.target.startsWith('./') ? filesBelow(join(module, source.target)) : [];
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
  const go = goBinary();
  if (go === undefined) throw new Error('the go command is missing: install Go 1.21 or newer');
  const source: Source = PROGRAMS[program];
  await run(go, ['build', '-trimpath', '-ldflags', linkerFlags(), '-o', draft, source.target], {
    cwd: join(place.root, source.module),
    as: place.owner,
    // The toolchain that go.mod names comes through the module proxy where the machine's Go is older.
    env: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOTOOLCHAIN: 'auto' },
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
