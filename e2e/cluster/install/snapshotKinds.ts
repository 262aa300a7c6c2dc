// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cached, contentKey } from '../host/cache.ts';
import { run } from '../host/command.ts';
import { goBinary } from '../host/packages.ts';
import type { BuildPlace } from './binaries.ts';

const MODULE = 'github.com/kubernetes-csi/external-snapshotter/client/v8';

/** The three kinds of the snapshot API, as the snapshotter that tools/csi pins ships them. */
export const SNAPSHOT_KINDS = ['volumesnapshotclasses', 'volumesnapshotcontents', 'volumesnapshots'] as const;

/** Folder with the CRDs of VolumeSnapshot, taken once out of the pinned module into the cache. */
export async function ensureSnapshotKinds(place: BuildPlace): Promise<string> {
  const module = join(place.root, 'tools', 'csi');
  const key = contentKey(module, [join(module, 'go.mod')], MODULE);
  const folder = join(place.cache, 'snapshot-kinds', key);
  await cached(folder, place.owner, async (draft) => {
    const source = await moduleFolder(place, module);
    mkdirSync(draft, { recursive: true });
    for (const plural of SNAPSHOT_KINDS) {
      const name = `snapshot.storage.k8s.io_${plural}.yaml`;
      copyFileSync(join(source, 'config', 'crd', name), join(draft, name));
    }
  });
  return folder;
}

async function moduleFolder(place: BuildPlace, cwd: string): Promise<string> {
  const go = goBinary();
  if (go === undefined) throw new Error('the go command is missing: install Go 1.21 or newer');
  const answer = await run(go, ['mod', 'download', '-json', MODULE], {
    cwd,
    as: place.owner,
    env: { GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'auto' },
    timeoutMs: 300_000,
  });
  return (JSON.parse(answer) as { Dir: string }).Dir;
}
