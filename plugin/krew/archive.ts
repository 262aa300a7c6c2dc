// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { krewManifest, PROGRAM } from './manifest.ts';

export interface Packing {
  /** Folder of the bundled plugin. */
  readonly dist: string;
  readonly version: string;
  /** URL of the folder that the archive will be in. */
  readonly base: string;
}

/** Writes archive and manifest below `dist` and answers their paths. */
export async function pack({ dist, version, base }: Packing): Promise<readonly string[]> {
  const names = (await readdir(dist)).filter((name) => name.endsWith('.js'));
  if (!names.includes(PROGRAM)) {
    throw new Error(`${dist} holds no ${PROGRAM}: bundle it first, with node images/bundle.ts plugin`);
  }
  const folder = join(dist, 'krew');
  await mkdir(folder, { recursive: true });
  const archive = `agenttier-${version}.tar.gz`;
  await promisify(execFile)('tar', ['-czf', join(folder, archive), '-C', dist, ...names.sort()]);
  const sha256 = createHash('sha256')
    .update(await readFile(join(folder, archive)))
    .digest('hex');
  const uri = `${base.replace(/\/+$/, '')}/${archive}`;
  const manifest = join(folder, 'agenttier.yaml');
  await writeFile(manifest, stringify(krewManifest({ version, uri, sha256 }), { lineWidth: 0 }));
  return [join(folder, archive), manifest];
}
