// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from '../host/account.ts';
import { cached, contentKey, filesBelow, makeFolders } from '../host/cache.ts';
import { run } from '../host/command.ts';
import { goBinary } from '../host/packages.ts';
import type { Say } from '../host/progress.ts';

/** Programs built from tools/go.mod: package to build by the name of the binary. */
const PROGRAMS = {
  node: './cmd/node',
  coredns: './cmd/dns',
  helm: 'helm.sh/helm/v3/cmd/helm',
  netpol: 'sigs.k8s.io/kube-network-policies/cmd',
  pause: './cmd/pause',
  csi: './cmd/csi',
} as const;

export type Program = keyof typeof PROGRAMS;

const KUBERNETES = { version: 'v1.34.4', major: '1', minor: '34' } as const;

/** The version that kubectl and the servers report, written in by the linker as Kubernetes' own build does. */
function linkerFlags(): string {
  const set = (name: string, value: string): string => `-X k8s.io/component-base/version.${name}=${value}`;
  const client = (name: string, value: string): string => `-X k8s.io/client-go/pkg/version.${name}=${value}`;
  const values = {
    gitVersion: KUBERNETES.version,
    gitMajor: KUBERNETES.major,
    gitMinor: KUBERNETES.minor,
    gitTreeState: 'clean',
  };
  return [
    '-s',
    '-w',
    ...Object.entries(values).flatMap(([name, value]) => [set(name, value), client(name, value)]),
  ].join(' ');
}

export interface BuildPlace {
  readonly root: string;
  readonly cache: string;
  readonly owner: Account;
}

/** Where a program is or will be in the cache: keyed by the pinned modules, its own sources and the build's flags. */
export function programPath(place: Pick<BuildPlace, 'root' | 'cache'>, program: Program): string {
  const tools = join(place.root, 'tools');
  const own = PROGRAMS[program].startsWith('./') ? filesBelow(join(tools, PROGRAMS[program])) : [];
  const sources = own.filter((file) => !file.endsWith('_test.go'));
  const key = contentKey(
    tools,
    [join(tools, 'go.mod'), join(tools, 'go.sum'), ...sources],
    linkerFlags(),
    process.arch,
  );
  return join(place.cache, 'bin', key, program);
}

export function hasProgram(root: string, program: Program): boolean {
  return !PROGRAMS[program].startsWith('./') || existsSync(join(root, 'tools', PROGRAMS[program]));
}

/** Builds the programs that the cache lacks, one after the other as each uses all cores; returns their paths. */
export async function ensurePrograms(
  place: BuildPlace,
  programs: readonly Program[],
  say: Say,
): Promise<string> {
  const missing = programs.filter((program) => !existsSync(programPath(place, program)));
  if (missing.length === 0) return 'cached';
  const go = goBinary();
  if (go === undefined) throw new Error('the go command is missing: install Go 1.21 or newer');
  for (const program of missing) {
    say(`go build ${program}`);
    const path = programPath(place, program);
    makeFolders(join(path, '..'), place.owner);
    await cached(path, place.owner, async (draft) => {
      await run(go, ['build', '-trimpath', '-ldflags', linkerFlags(), '-o', draft, PROGRAMS[program]], {
        cwd: join(place.root, 'tools'),
        as: place.owner,
        env: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'auto' },
        timeoutMs: 1_800_000,
        onLine: (line) => say(`go build ${program}: ${line}`),
      });
    });
  }
  return `built ${missing.join(', ')}`;
}
