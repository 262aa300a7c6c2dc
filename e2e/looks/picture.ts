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

/** Steps between the shades that are kept: the finest with which a picture needs no more than 256 colours. */
const STEPS = [1, 4, 8, 16, 32] as const;

/** A picture in few colours, a tenth of what the browser writes. Nobody sees the difference, nor does `different`. */
export function packed(picture: Picture): Buffer {
  for (const step of STEPS) {
    const found = indexed(picture, step);
    if (found !== undefined) return written(picture, found);
  }
  return PNG.sync.write(Object.assign(new PNG(picture), { data: picture.data }));
}

interface Indexed {
  readonly colours: readonly number[];
  readonly rows: Buffer;
}

const rounded = (value: number, step: number): number => Math.min(255, Math.round(value / step) * step);

function indexed({ width, height, data }: Picture, step: number): Indexed | undefined {
  const known = new Map<number, number>();
  // Each row begins with its filter: none, which suits indexes best.
  const rows = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < width * height; at++) {
    const [red = 0, green = 0, blue = 0] = data.subarray(at * 4, at * 4 + 3);
    const colour = (rounded(red, step) << 16) | (rounded(green, step) << 8) | rounded(blue, step);
    let index = known.get(colour);
    if (index === undefined) known.set(colour, (index = known.size));
    if (index > 255) return undefined;
    rows[Math.floor(at / width) * (width + 1) + 1 + (at % width)] = index;
  }
  return { colours: [...known.keys()], rows };
}

/** PNG (ISO/IEC 15948) with a palette, which pngjs can read and not write. */
function written({ width, height }: Picture, { colours, rows }: Indexed): Buffer {
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

export interface Difference {
  readonly pixels: number;
  /** The newer picture, pale, with what differs in red. */
  readonly drawn: Buffer;
}

/** Where two pictures differ; of different sizes, all that only one of them has does too. */
export function different(before: Picture, after: Picture): Difference {
  const [width, height] = [Math.max(before.width, after.width), Math.max(before.height, after.height)];
  const drawn = new PNG({ width, height });
  let pixels = 0;
  for (let at = 0; at < width * height; at++) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const [old, now] = [colourAt(before, x, y), colourAt(after, x, y)];
    const same = old !== undefined && now !== undefined && isSame(old, now);
    if (!same) pixels++;
    drawn.data.set(same ? [...now.map((shade) => 128 + shade / 2), 255] : [230, 0, 40, 255], at * 4);
  }
  return { pixels, drawn: PNG.sync.write(drawn) };
}

const colourAt = ({ width, height, data }: Picture, x: number, y: number): Uint8Array | undefined =>
  x < width && y < height ? data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3) : undefined;

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.every((shade, index) => Math.abs(shade - (b[index] ?? 0)) <= SAME_SHADE);
