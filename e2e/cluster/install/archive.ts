// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** An entry of a tar archive. A folder has no content. */
export interface Entry {
  readonly path: string;
  readonly content?: Uint8Array;
  readonly mode: number;
}

const BLOCK = 512;

/** One POSIX ustar header. All times are 0, so that the same content gives the same bytes. */
export function tarHeader(entry: Entry): Buffer {
  const name = Buffer.from(entry.path);
  if (name.length > 100) throw new Error(`tar: name longer than 100 bytes: ${entry.path}`);
  const header = Buffer.alloc(BLOCK);
  name.copy(header, 0);
  const octal = (value: number, at: number, width: number): number =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at);
  octal(entry.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(entry.content?.length ?? 0, 124, 12);
  octal(0, 136, 12);
  header.write('        ', 148); // the sum counts its own field as blanks
  header.write(entry.content === undefined ? '5' : '0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** A whole tar archive. */
export function tar(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = entry.content ?? new Uint8Array();
    return [tarHeader(entry), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

/** An image that holds files and nothing else: the shape of a static program. */
export interface ScratchImage {
  readonly name: string;
  readonly entrypoint: readonly string[];
  /** File on this machine by path in the image; all are executable. */
  readonly files: Readonly<Record<string, string>>;
  readonly user?: string;
}

function folders(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`);
}

const sha = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** The image as an archive that `docker load` and `ctr images import` read. */
export function scratchArchive(image: ScratchImage): Buffer {
  const names = Object.keys(image.files).map((path) => path.replace(/^\//, ''));
  const parents = [...new Set(names.flatMap(folders))].sort().map((path) => ({ path, mode: 0o755 }));
  const files = Object.entries(image.files).map(([path, file]) => ({
    path: path.replace(/^\//, ''),
    mode: 0o755,
    content: readFileSync(file),
  }));
  const layer = tar([...parents, ...files]);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Entrypoint: image.entrypoint, ...(image.user === undefined ? {} : { User: image.user }) },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha(layer)}`] },
    }),
  );
  const manifest = [{ Config: `${sha(config)}.json`, RepoTags: [image.name], Layers: ['layer.tar'] }];
  return tar([
    { path: `${sha(config)}.json`, mode: 0o644, content: config },
    { path: 'layer.tar', mode: 0o644, content: layer },
    { path: 'manifest.json', mode: 0o644, content: Buffer.from(JSON.stringify(manifest)) },
  ]);
}
