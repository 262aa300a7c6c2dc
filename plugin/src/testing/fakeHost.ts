// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterAll } from 'vitest';
import { type Clock, systemClock } from '@agenttier/machinery/runtime/clock';
import { readEnvironment } from '../config.ts';
import type { Host, TerminalDevice, WindowSize } from '../context/host.ts';
import { runPlugin } from '../root.ts';

/** Keeps what is written, and takes it as slowly as a test wants. */
export class Sink extends Writable {
  readonly #chunks: Buffer[] = [];
  /** While set, nothing is taken: what a stopped terminal (Ctrl-S) does. */
  #held: (() => void)[] | undefined;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    if (this.#held) this.#held.push(done);
    else done();
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const done of held) done();
  }
}

/** A terminal that a test resizes and looks at. */
export class FakeTerminal implements TerminalDevice {
  readonly interactive: boolean;
  window: WindowSize = { cols: 80, rows: 24 };
  raw = false;
  readonly rawChanges: boolean[] = [];
  readonly #resized = new Set<() => void>();
  readonly #ends = new Set<() => void>();

  constructor(interactive: boolean) {
    this.interactive = interactive;
  }

  size(): WindowSize | undefined {
    return this.interactive ? this.window : undefined;
  }

  setRaw(raw: boolean): void {
    this.raw = raw;
    this.rawChanges.push(raw);
  }

  onResize(callback: () => void): () => void {
    this.#resized.add(callback);
    return () => void this.#resized.delete(callback);
  }

  onProcessEnd(callback: () => void): () => void {
    this.#ends.add(callback);
    return () => void this.#ends.delete(callback);
  }

  resize(window: WindowSize): void {
    this.window = window;
    for (const callback of this.#resized) callback();
  }

  endProcess(): void {
    for (const callback of this.#ends) callback();
  }
}

export interface FakeHost extends Host {
  readonly streams: { readonly in: PassThrough; readonly out: Sink; readonly err: Sink };
  readonly terminal: FakeTerminal;
  readonly interrupt: AbortController;
}

export interface FakeHostOptions {
  readonly variables?: Readonly<Record<string, string | undefined>>;
  readonly interactive?: boolean;
  readonly clock?: Clock;
}

export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  // A login of the person who runs the tests must not reach them.
  const variables = { AGENTTIER_CONFIG: '/nonexistent/config.json', ...options.variables };
  const interrupt = new AbortController();
  return {
    streams: { in: new PassThrough(), out: new Sink(), err: new Sink() },
    clock: options.clock ?? systemClock,
    environment: readEnvironment(variables),
    terminal: new FakeTerminal(options.interactive === true),
    signal: interrupt.signal,
    interrupt,
  };
}

const folders: string[] = [];
afterAll(async () => {
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

/** Writes a kubeconfig whose one context leads to a server and answers its path. */
export async function writeKubeconfig(server: string, namespace = 'team'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'agenttier-plugin-'));
  folders.push(folder);
  const file = join(folder, 'config');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [
      { name: 'test', context: { cluster: 'test', user: 'test', namespace } },
      { name: 'other', context: { cluster: 'test', user: 'test', namespace: 'elsewhere' } },
    ],
    clusters: [{ name: 'test', cluster: { server } }],
    users: [{ name: 'test', user: { token: 'kube-token' } }],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

export interface PluginRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line in this process. */
export async function runWith(host: FakeHost, ...args: readonly string[]): Promise<PluginRun> {
  const code = await runPlugin(args, host);
  return { code, out: host.streams.out.text, err: host.streams.err.text };
}
