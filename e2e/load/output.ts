// SPDX-License-Identifier: Apache-2.0
import type { WebSocket } from 'ws';
import { ended, kubectlExec } from './kubectl.ts';
import { openExact, untilReady } from './exactSocket.ts';
import type { Target } from './rest.ts';
import { type Figure, figure, rate } from './stats.ts';

const LINE = 'x'.repeat(79);
const MEGABYTE = 1_000_000;
const END = 'end-of-flood';

/** Prints as fast as it can. Quotes keep the echo of the command from looking like its end. */
const flood = (bytes: number): string => `yes ${LINE} | head -c ${bytes}; echo end''-of-flood`;

/**
 * Counts the bytes of a flood up to the mark at its end, which may come in two pieces, and when the first and the last came.
 */
export class FloodMeter {
  bytes = 0;
  first: number | undefined;
  last = 0;
  done = false;
  #tail = '';

  take(data: Buffer, now: number): void {
    if (this.done) return;
    this.first ??= now;
    this.bytes += data.length;
    this.last = now;
    const tail = this.#tail + data.subarray(-2 * END.length).toString('latin1');
    this.done = tail.includes(END);
    this.#tail = tail.slice(-2 * END.length);
  }

  get megabytesPerSecond(): number {
    return rate(this.bytes, this.last - (this.first ?? this.last));
  }
}

/** A program that prints without end of its own, through the router and through `kubectl exec`, as the client counts it. */
export async function measureOutput(
  target: Target,
  name: string,
  { megabytes, rounds }: { megabytes: number; rounds: number },
): Promise<Figure[]> {
  const bytes = megabytes * MEGABYTE;
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(await throughRouter(target, name, bytes));
    theirs.push(await throughKubectl(target, name, bytes));
  }
  const what = `${megabytes} MB of lines of 80 bytes, counted by the client`;
  return [
    figure('terminal output', ours, `WebSocket, bytes, with a terminal; ${what}`, 'MB/s'),
    figure('kubectl exec output', theirs, `without a terminal; ${what}`, 'MB/s'),
  ];
}

async function throughRouter(target: Target, name: string, bytes: number): Promise<number> {
  const socket = openExact(target, { name, session: `flood-${Date.now().toString(36)}` });
  await untilReady(socket);
  const begun = printed(socket, 'begin-flood');
  socket.send(Buffer.from("stty -echo; PS1=; echo begin''-flood\r"));
  await begun;
  const meter = new FloodMeter();
  const done = new Promise<void>((resolve, reject) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) meter.take(data, performance.now());
      if (meter.done) resolve();
    });
    socket.once('close', (code) => reject(new Error(`closed with ${code} in the flood`)));
  });
  socket.send(Buffer.from(`${flood(bytes)}; exit\r`));
  await done;
  socket.close();
  return meter.megabytesPerSecond;
}

function printed(socket: WebSocket, text: string): Promise<void> {
  let output = '';
  return new Promise((resolve, reject) => {
    socket.once('close', (code) => reject(new Error(`closed with ${code} before ${text}`)));
    socket.on('message', function listen(data: Buffer, isBinary) {
      if (!isBinary) return;
      output += data.toString('latin1');
      if (!output.includes(text)) return;
      socket.off('message', listen);
      resolve();
    });
  });
}

async function throughKubectl(target: Target, name: string, bytes: number): Promise<number> {
  const child = kubectlExec(target, name, flood(bytes));
  const meter = new FloodMeter();
  child.stdout.on('data', (data: Buffer) => meter.take(data, performance.now()));
  child.stdin.end();
  await ended(child);
  if (!meter.done) throw new Error('kubectl exec lost the end of the flood');
  return meter.megabytesPerSecond;
}
