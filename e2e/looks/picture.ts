// SPDX-License-Identifier: Apache-2.0
import { crc32, deflateSync } from 'node:zlib';
import { PNG } from 'pngjs';

/** Pixels as they come from a browser: four bytes each. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
}

export const readPicture = (bytes: Buffer): Picture => PNG.sync.read(bytes);

/** How far a shade may be from the one that is kept for it: as little as lets a picture have 256 colours. */
const NEAR = [0, 6, 10, 16, 24, 32] as const;

/** A picture in few colours, a tenth of what the browser writes. Nobody sees the difference, nor does `different`. */
export function packed(picture: Picture): Buffer {
  const counts = countColours(picture);
  // The colours of areas stay as they are; those of the edges of letters take the nearest of them.
  const byUse = [...counts.keys()].sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  for (const near of NEAR) {
    const found = paletteOf(byUse, near);
    if (found !== undefined) return written(picture, found);
  }
  throw new Error('a picture has more than 256 colours that are not alike');
}

const colourOf = (data: Buffer, at: number): number =>
  ((data[at * 4] ?? 0) << 16) | ((data[at * 4 + 1] ?? 0) << 8) | (data[at * 4 + 2] ?? 0);

function countColours({ width, height, data }: Picture): Map<number, number> {
  const counts = new Map<number, number>();
  for (let at = 0; at < width * height; at++) {
    const colour = colourOf(data, at);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return counts;
}

interface Palette {
  readonly colours: readonly number[];
  /** Index of the colour that stands for one. */
  readonly indexes: ReadonlyMap<number, number>;
}

function paletteOf(byUse: readonly number[], near: number): Palette | undefined {
  const colours: number[] = [];
  const indexes = new Map<number, number>();
  for (const colour of byUse) {
    const known = colours.findIndex((one) => distance(one, colour) <= near);
    indexes.set(colour, known < 0 ? colours.length : known);
    if (known < 0) colours.push(colour);
    if (colours.length > 256) return undefined;
  }
  return { colours, indexes };
}

const distance = (a: number, b: number): number =>
  Math.max(
    Math.abs((a >> 16) - (b >> 16)),
    Math.abs(((a >> 8) & 255) - ((b >> 8) & 255)),
    Math.abs((a & 255) - (b & 255)),
  );

/** PNG (ISO/IEC 15948) with a palette, which pngjs can read and not write. */
function written({ width, height, data }: Picture, { colours, indexes }: Palette): Buffer {
  // Each row begins with its filter: none, which suits indexes best.
  const rows = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < width * height; at++) {
    rows[Math.floor(at / width) * (width + 1) + 1 + (at % width)] = indexes.get(colourOf(data, at)) ?? 0;
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const palette = Buffer.from(colours.flatMap((one) => [one >> 16, (one >> 8) & 255, one & 255]));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Shades of a colour that count as the same: smoothing of letters differs that much between builds of a browser. */
const SAME_SHADE = 48;

const wordsOf = ({ data }: Picture): Uint32Array =>
  new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);

/** How many pixels of two pictures differ; of different sizes, all that only one of them has does too. */
export function differing(before: Picture, after: Picture): number {
  const [width, height] = [Math.max(before.width, after.width), Math.max(before.height, after.height)];
  const same = before.width === after.width && before.height === after.height;
  const [old, now] = [wordsOf(before), wordsOf(after)];
  let pixels = 0;
  for (let at = 0; at < width * height; at++) {
    // Nearly all are alike to the bit, and there are hundreds of millions.
    if (same && old[at] === now[at]) continue;
    if (!isSame(before, after, at % width, Math.floor(at / width))) pixels++;
  }
  return pixels;
}

/** The newer picture, pale, with what differs in red. */
export function drawDifference(before: Picture, after: Picture): Buffer {
  const [width, height] = [Math.max(before.width, after.width), Math.max(before.height, after.height)];
  const drawn = new PNG({ width, height });
  for (let at = 0; at < width * height; at++) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const from = (y * after.width + x) * 4;
    const pale = [...after.data.subarray(from, from + 3)].map((shade) => 128 + shade / 2);
    drawn.data.set(isSame(before, after, x, y) ? [...pale, 255] : [230, 0, 40, 255], at * 4);
  }
  return PNG.sync.write(drawn);
}

function isSame(one: Picture, other: Picture, x: number, y: number): boolean {
  if (x >= one.width || x >= other.width || y >= one.height || y >= other.height) return false;
  const [a, b] = [(y * one.width + x) * 4, (y * other.width + x) * 4];
  for (let shade = 0; shade < 3; shade++) {
    if (Math.abs((one.data[a + shade] ?? 0) - (other.data[b + shade] ?? 0)) > SAME_SHADE) return false;
  }
  return true;
}
