// SPDX-License-Identifier: Apache-2.0
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cached, contentKey, filesBelow, makeFolders } from '../host/cache.ts';
import { run } from '../host/command.ts';
import { goBinary } from '../host/packages.ts';
import type { Say } from '../host/progress.ts';
import { RUNTIME } from '../node/layout.ts';
import { unmountAll } from '../node/teardown.ts';
import {
  type BaseKind,
  baseDockerfile,
  baseKey,
  baseKind,
  baseReference,
  ensureBase,
  layOutBase,
} from './bases.ts';
import type { BuildPlace } from './binaries.ts';

/** Where locally built images are said to come from: nothing answers at that name, so nothing is ever pulled instead. */
export const LOCAL_REGISTRY = 'localhost/agenttier';

/** A folder of images/ with a Dockerfile. */
export interface ImageSource {
  readonly name: string;
  readonly folder: string;
  /** Build argument to local base, for each `ARG NAME=public-image` before the first FROM. */
  readonly bases: Readonly<Record<string, BaseKind>>;
}

export interface BuiltImage {
  /** Of its folder in images/. */
  readonly name: string;
  /** The name that pods use. */
  readonly reference: string;
  /** The same with the content's key as its tag: tells whether a cluster has exactly this content. */
  readonly keyed: string;
  /** `docker load` and `ctr images import` read it. */
  readonly archive: string;
}

/** The bases that a Dockerfile names as defaults of build arguments; throws for one that has no local stand-in. */
export function parseBases(dockerfile: string, name: string): Record<string, BaseKind> {
  const bases: Record<string, BaseKind> = {};
  for (const line of dockerfile.split('\n')) {
    if (/^FROM\s/i.test(line)) break;
    const found = /^ARG\s+(\w+)=(\S+)/i.exec(line);
    if (found === null) continue;
    const [, argument = '', reference = ''] = found;
    const kind = baseKind(reference);
    if (kind !== undefined) bases[argument] = kind;
    else if (/[:/]/.test(reference))
      throw new Error(`images/${name}/Dockerfile: no local base stands in for ${reference}`);
  }
  return bases;
}

/** All images of the checkout. */
export function imageSources(root: string): ImageSource[] {
  const folder = join(root, 'images');
  return readdirSync(folder).flatMap((name) => {
    const dockerfile = join(folder, name, 'Dockerfile');
    if (!existsSync(dockerfile)) return [];
    return [{ name, folder: join(folder, name), bases: parseBases(readFileSync(dockerfile, 'utf8'), name) }];
  });
}

function imageKey(root: string, source: ImageSource): string {
  const bases = Object.entries(source.bases).map(([argument, kind]) => `${argument}=${baseKey(root, kind)}`);
  return contentKey(root, filesBelow(source.folder), ...bases);
}

/** Names and place in the cache of an image as it would be built now. */
export function describeImage(place: BuildPlace, source: ImageSource, version: string): BuiltImage {
  const key = imageKey(place.root, source);
  return {
    name: source.name,
    reference: `${LOCAL_REGISTRY}/${source.name}:${version}`,
    keyed: `${LOCAL_REGISTRY}/${source.name}:${key}`,
    archive: join(place.cache, 'images', `${source.name}-${key}.tar`),
  };
}

/** buildah with a storage that lives for one build: the archives in the cache are what is kept. */
class Builder {
  readonly #place: BuildPlace;
  readonly #folder: string;

  constructor(place: BuildPlace) {
    this.#place = place;
    mkdirSync(RUNTIME, { recursive: true });
    makeFolders(join(place.cache, 'build'), place.owner);
    this.#folder = mkdtempSync(join(place.cache, 'build', 'storage-'));
  }

  #buildah(...args: readonly string[]): Promise<string> {
    const storage = [
      '--root',
      join(this.#folder, 'root'),
      '--runroot',
      join(RUNTIME, 'build'),
      '--storage-driver',
      'overlay',
    ];
    return run('buildah', [...storage, ...args], { env: { BUILDAH_ISOLATION: 'chroot' } });
  }

  async base(kind: BaseKind): Promise<void> {
    const context = join(this.#folder, 'bases', kind);
    layOutBase(this.#place, kind, await ensureBase(this.#place, kind), context);
    writeFileSync(join(context, 'Dockerfile'), baseDockerfile(kind));
    await this.#buildah('bud', '--quiet', '-t', baseReference(this.#place.root, kind), context);
    rmSync(context, { recursive: true });
  }

  async image(source: ImageSource, image: BuiltImage): Promise<void> {
    const bases = Object.entries(source.bases).flatMap(([argument, kind]) => [
      '--build-arg',
      `${argument}=${baseReference(this.#place.root, kind)}`,
    ]);
    // The host's network: a namespace of its own for RUN would leave a mount on /run/netns behind.
    const options = ['--quiet', '--pull-never', '--network', 'host'];
    await this.#buildah('bud', ...options, ...bases, '-t', image.keyed, source.folder);
    await cached(image.archive, this.#place.owner, async (draft) => {
      await this.#buildah('push', '--quiet', image.keyed, `docker-archive:${draft}:${image.keyed}`);
    });
  }

  /** buildah keeps its storage mounted onto itself. */
  async close(): Promise<void> {
    await unmountAll(this.#folder, join(RUNTIME, 'build'));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Programs and bundles that Dockerfiles copy in; each writes into `images/NAME/dist`. */
export async function prepareImages(place: BuildPlace, say: Say): Promise<void> {
  const bundle = join(place.root, 'images', 'bundle.ts');
  if (!existsSync(bundle)) return;
  say('bundles');
  const go = goBinary();
  const path = go === undefined ? [] : [dirname(go)];
  await run(process.execPath, [bundle], {
    cwd: place.root,
    as: place.owner,
    env: { PATH: [...path, process.env['PATH'] ?? ''].join(delimiter) },
  });
}

/** Builds the images whose content the cache does not have yet. */
export async function buildImages(place: BuildPlace, version: string, say: Say): Promise<BuiltImage[]> {
  await prepareImages(place, say);
  const sources = imageSources(place.root);
  const images = sources.map((source) => describeImage(place, source, version));
  const missing = sources.filter((_, index) => !existsSync(images[index]?.archive ?? ''));
  if (missing.length === 0) return images;
  const builder = new Builder(place);
  try {
    for (const kind of new Set(missing.flatMap((source) => Object.values(source.bases)))) {
      say(`base ${kind}`);
      await builder.base(kind);
    }
    for (const source of missing) {
      say(source.name);
      const image = images.find(({ name }) => name === source.name);
      if (image !== undefined) await builder.image(source, image);
    }
  } finally {
    await builder.close();
  }
  for (const { name } of missing) forgetOldArchives(join(place.cache, 'images'), name);
  return images;
}

/** How many contents of an image the cache keeps: going back to the one before should not cost a build. */
const KEPT = 3;

function forgetOldArchives(folder: string, name: string): void {
  const mine = readdirSync(folder).filter((file) => new RegExp(`^${name}-[0-9a-f]{16}\\.tar$`).test(file));
  const byAge = mine.map((file) => ({ file: join(folder, file), at: statSync(join(folder, file)).mtimeMs }));
  for (const { file } of byAge.sort((a, b) => b.at - a.at).slice(KEPT)) rmSync(file);
}
