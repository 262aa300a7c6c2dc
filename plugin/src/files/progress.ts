// SPDX-License-Identifier: Apache-2.0
import { Transform } from 'node:stream';
import type { Host } from '../context/host.ts';
import { formatBytes } from '../printers/bytes.ts';

const PAUSE_MS = 100;
const WIDTH = 24;

/** Counts what passes and shows it on a person's terminal; elsewhere it only counts. */
export interface Progress {
  readonly stream: Transform;
  readonly bytes: () => number;
  /** Takes the line away again. */
  end(): void;
}

export function progressOf(host: Host, name: string, total: number | undefined): Progress {
  let bytes = 0;
  let shownAt = Number.NEGATIVE_INFINITY;
  const started = host.clock.monotonic();
  const show = (): void => {
    const now = host.clock.monotonic();
    if (!host.terminal.interactive || now - shownAt < PAUSE_MS) return;
    shownAt = now;
    host.streams.err.write(`\r${lineOf({ name, bytes, total, ms: now - started })}\u001b[K`);
  };
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      show();
      done(null, chunk);
    },
  });
  const end = (): void => {
    if (shownAt !== Number.NEGATIVE_INFINITY) host.streams.err.write('\r\u001b[K');
  };
  return { stream, bytes: () => bytes, end };
}

interface State {
  readonly name: string;
  readonly bytes: number;
  readonly total: number | undefined;
  readonly ms: number;
}

/** `data.csv [####----] 50%  1.5 MiB  12 MiB/s`. */
export function lineOf({ name, bytes, total, ms }: State): string {
  const speed = ms < 1 ? '' : `  ${formatBytes((bytes / ms) * 1000)}/s`;
  if (!total) return `${name}  ${formatBytes(bytes)}${speed}`;
  const share = Math.min(1, bytes / total);
  const done = Math.round(share * WIDTH);
  const bar = `${'#'.repeat(done)}${'-'.repeat(WIDTH - done)}`;
  return `${name} [${bar}] ${Math.floor(share * 100)}%  ${formatBytes(bytes)}${speed}`;
}
