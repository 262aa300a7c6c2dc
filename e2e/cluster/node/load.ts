// SPDX-License-Identifier: Apache-2.0
import { run, tryRun } from '../host/command.ts';
import type { BuiltImage } from '../install/images.ts';
import { importArchive } from '../install/nodeImages.ts';
import { ctrArgs } from './containerd.ts';

/** Digest by image name, from the table of `ctr images list`. */
export function parseImageList(table: string): Map<string, string> {
  const rows = table
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/));
  return new Map(
    rows.flatMap(([name, , digest]) =>
      name !== undefined && digest !== undefined ? [[name, digest] as const] : [],
    ),
  );
}

/** Puts images into containerd; returns the names of those whose content is another than before. */
export async function loadIntoNode(images: readonly BuiltImage[]): Promise<string[]> {
  const changed: string[] = [];
  for (const image of images) {
    const before = parseImageList(await run('ctr', ctrArgs('images', 'list')));
    if (!before.has(image.keyed)) await importArchive(image.archive);
    const after = before.has(image.keyed)
      ? before
      : parseImageList(await run('ctr', ctrArgs('images', 'list')));
    if (after.get(image.keyed) === before.get(image.reference)) continue;
    changed.push(image.name);
    await run('ctr', ctrArgs('images', 'tag', '--force', image.keyed, image.reference));
    await forgetOlder(image, after);
  }
  return changed;
}

/** Earlier contents of the same image: nothing names them any more. */
async function forgetOlder(image: BuiltImage, present: ReadonlyMap<string, string>): Promise<void> {
  const repository = image.keyed.slice(0, image.keyed.lastIndexOf(':') + 1);
  const older = [...present.keys()].filter(
    (name) => name.startsWith(repository) && name !== image.keyed && name !== image.reference,
  );
  if (older.length > 0) await tryRun('ctr', ctrArgs('images', 'remove', ...older));
}
