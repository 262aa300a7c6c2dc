// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached, contentKey } from '../host/cache.ts';
import { run } from '../host/command.ts';
import type { BuildPlace } from './binaries.ts';

const RELEASE = 'bookworm';

/** What a local stand-in for a public base image holds. */
interface Recipe {
  readonly variant: 'minbase' | 'extract';
  readonly packages: readonly string[];
  /** Adds Node from the npm package that the workspace brings. */
  readonly node?: boolean;
  /** Shell commands on the unpacked root ($1) before it is packed. */
  readonly hook?: string;
}

/** No documentation or translations, and the two users that every image can count on. */
const BARE_FILES = `rm -rf "$1/usr/share/doc" "$1/usr/share/man" "$1/usr/share/locale"
printf 'root:x:0:0:root:/root:/sbin/nologin\\nnonroot:x:65532:65532::/home/nonroot:/sbin/nologin\\n' > "$1/etc/passwd"
printf 'root:x:0:\\nnonroot:x:65532:\\n' > "$1/etc/group"`;

/** Unpacked only, without a package manager or shell: what a distroless image is. */
const BARE_LIBRARIES = ['base-files', 'libc6', 'libgcc-s1', 'libstdc++6', 'netbase', 'tzdata'];

const RECIPES = {
  node: { variant: 'extract', packages: BARE_LIBRARIES, node: true, hook: BARE_FILES },
  distroless: { variant: 'extract', packages: BARE_LIBRARIES, hook: BARE_FILES },
  // With the packages that images/sandbox-minimal wants, so that its build asks no archive.
  debian: { variant: 'minbase', packages: ['ca-certificates', 'curl', 'less', 'procps', 'tmux', 'vim-tiny'] },
  busybox: {
    variant: 'extract',
    packages: ['busybox-static'],
    hook: `${BARE_FILES}
sed -i 's#/sbin/nologin#/bin/sh#' "$1/etc/passwd"
for name in $("$1/bin/busybox" --list); do [ -e "$1/bin/$name" ] || ln -s busybox "$1/bin/$name"; done`,
  },
} satisfies Record<string, Recipe>;

export type BaseKind = keyof typeof RECIPES;

/** Which local base stands in for a public one, by the last part of its name. */
export function baseKind(reference: string): BaseKind | undefined {
  const name = reference.split('/').at(-1)?.split(/[:@]/)[0] ?? '';
  if (name === 'node') return 'node';
  if (name === 'debian' || name === 'ubuntu') return 'debian';
  if (name === 'busybox' || name === 'alpine') return 'busybox';
  if (reference.includes('distroless')) return 'distroless';
  return undefined;
}

function nodeBinary(root: string): string {
  return join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
}

/** Key of a base: its recipe, and the Node that it takes in. */
export function baseKey(root: string, kind: BaseKind): string {
  const recipe: Recipe = RECIPES[kind];
  const node = recipe.node === true ? [nodeBinary(root)] : [];
  return contentKey(root, node, JSON.stringify(recipe), RELEASE, process.arch);
}

/** Name of a base in the builder's storage. */
export function baseReference(root: string, kind: BaseKind): string {
  return `localhost/agenttier-base/${kind}:${baseKey(root, kind)}`;
}

/** The root file system of a base as a tar archive in the cache, made from Debian packages where it is missing. */
export async function ensureBase(place: BuildPlace, kind: BaseKind): Promise<string> {
  const recipe: Recipe = RECIPES[kind];
  const file = join(place.cache, 'bases', `${kind}-${baseKey(place.root, kind)}.tar`);
  await cached(file, place.owner, async (draft) => {
    const hooks = recipe.hook === undefined ? [] : [`--extract-hook=${recipe.hook}`];
    // No recommended packages, no documentation: the base should be as small as the public one.
    const options = [
      '--quiet',
      `--variant=${recipe.variant}`,
      `--include=${recipe.packages.join(',')}`,
      '--format=tar',
    ];
    await run('mmdebstrap', [
      ...options,
      ...hooks,
      '--dpkgopt=path-exclude=/usr/share/{doc,man,info}/*',
      RELEASE,
      draft,
    ]);
  });
  return file;
}

/** Lays a base out as a build context: the archive, Node beside it, a Dockerfile. */
export function layOutBase(place: BuildPlace, kind: BaseKind, archive: string, folder: string): void {
  const recipe: Recipe = RECIPES[kind];
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'base.tar'), { force: true });
  copyFileSync(archive, join(folder, 'base.tar'));
  if (recipe.node === true) {
    const binary = nodeBinary(place.root);
    if (!existsSync(binary)) throw new Error(`${binary} is missing: run npm ci`);
    copyFileSync(binary, join(folder, 'node'));
  }
}

/** Dockerfile of a base, for the context that `layOutBase` prepares. */
export function baseDockerfile(kind: BaseKind): string {
  const recipe: Recipe = RECIPES[kind];
  const node = recipe.node === true ? 'COPY --chmod=0755 node /usr/local/bin/node\n' : '';
  return `FROM scratch\nADD base.tar /\n${node}ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nCMD ["/bin/sh"]\n`;
}
