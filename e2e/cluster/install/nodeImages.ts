// SPDX-License-Identifier: Apache-2.0
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, tryRun } from '../host/command.ts';
import { PAUSE_IMAGE, ctrArgs } from '../node/containerd.ts';
import { type BuildPlace, type Program, programPath } from './binaries.ts';
import { type ScratchImage, scratchArchive } from './archive.ts';

export const DNS_IMAGE = 'agenttier.local/coredns';
export const POLICY_IMAGE = 'agenttier.local/netpol';

/** The cluster's own pods run static programs from the cache; the tag is the cache's key, so new content has a new name. */
export function nodeImages(place: BuildPlace): {
  pause: ScratchImage;
  dns: ScratchImage;
  policy: ScratchImage;
} {
  const image = (name: string, program: Program): ScratchImage => {
    const file = programPath(place, program);
    return { name, entrypoint: [`/${program}`], files: { [`/${program}`]: file } };
  };
  const tag = (program: Program): string => programPath(place, program).split('/').at(-2) ?? 'latest';
  return {
    pause: image(PAUSE_IMAGE, 'pause'),
    dns: image(`${DNS_IMAGE}:${tag('coredns')}`, 'coredns'),
    policy: image(`${POLICY_IMAGE}:${tag('netpol')}`, 'netpol'),
  };
}

/** Names of the images that containerd has. */
export async function importedImages(): Promise<Set<string>> {
  return new Set(
    (await run('ctr', ctrArgs('images', 'list', '-q'))).split('\n').filter((name) => name !== ''),
  );
}

/** Puts an image archive into containerd. Unpacked at once, so that the first pod does not pay for it. */
export async function importArchive(file: string): Promise<void> {
  await run('ctr', ctrArgs('images', 'import', file));
}

/** Imports the images of the node's own pods, where containerd lacks them. */
export async function ensureNodeImages(place: BuildPlace): Promise<string> {
  const present = await importedImages();
  const missing = Object.values(nodeImages(place)).filter((image) => !present.has(image.name));
  for (const image of missing) {
    const file = join(tmpdir(), `agenttier-image-${process.pid}.tar`);
    try {
      writeFileSync(file, scratchArchive(image));
      await importArchive(file);
    } finally {
      rmSync(file, { force: true });
    }
    // The garbage collector of the kubelet never removes a pinned image; label as CRI itself does for the pause image.
    await tryRun('ctr', ctrArgs('images', 'label', image.name, 'io.cri-containerd.pinned=pinned'));
  }
  return missing.length === 0 ? 'all there' : `imported ${missing.length}`;
}
