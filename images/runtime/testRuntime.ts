// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  PTY_PROTOCOL_V2,
  type ServerControl,
  type ServerFrameV1,
  parseServerControl,
  parseServerFrameV1,
} from '@agenttier/crds/wire/terminal';
import { WebSocket } from 'ws';

export const TOKEN = 'a-token-for-tests';
const PATIENCE_MS = 10_000;

/** Compiles the runtime into a new folder; returns the program's path. */
export function buildRuntime(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'agenttier-runtime-')), 'agenttier-runtime');
  execFileSync('env', ['CGO_ENABLED=0', 'go', 'build', '-p', '2', '-trimpath', '-o', file, '.'], {
    cwd: import.meta.dirname,
  });
  return file;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Repeats a look until it gives something; fails after ten seconds. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A runtime process with a workspace and a token of its own. */
export class Runtime {
  readonly program: string;
  readonly folder: string;
  readonly workdir: string;
  readonly tokenFile: string;
  readonly port: number;
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  log = '';

  private constructor(program: string, port: number, args: readonly string[], env: Record<string, string>) {
    this.program = program;
    this.port = port;
    this.folder = mkdtempSync(join(tmpdir(), 'agenttier-sandbox-'));
    this.workdir = join(this.folder, 'workspace');
    this.tokenFile = join(this.folder, 'token');
    mkdirSync(this.workdir);
    writeFileSync(this.tokenFile, `${TOKEN}\n`);
    const fixed = ['--listen-addr', this.address, '--workdir', this.workdir, '--token-file', this.tokenFile];
    this.process = spawn(program, ['serve', ...fixed, ...args], {
      env: { PATH: '/usr/bin:/bin', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.log += chunk.toString();
      });
    }
    this.exited = new Promise((resolve) => {
      this.process.once('exit', (code) => {
        rmSync(this.folder, { recursive: true, force: true });
        resolve(code);
      });
    });
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  static async start(
    program: string,
    args: readonly string[] = [],
    env: Record<string, string> = {},
  ): Promise<Runtime> {
    const runtime = new Runtime(program, await freePort(), args, env);
    await until('the runtime to answer', async () => {
      if (runtime.process.exitCode !== null) throw new Error(runtime.log);
      return fetch(`http://${runtime.address}/healthz`).then(
        (answer) => (answer.ok ? true : undefined),
        () => undefined,
      );
    });
    return runtime;
  }

  async stop(): Promise<void> {
    this.process.kill('SIGTERM');
    await this.exited;
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    return fetch(`http://${this.address}${path}`, { ...init, headers });
  }

  async exec(body: Record<string, unknown>): Promise<Record<string, unknown>> {
    const answer = await this.fetch('/exec', { method: 'POST', body: JSON.stringify(body) });
    return (await answer.json()) as Record<string, unknown>;
  }

  terminal(query: Record<string, string | number> = {}, protocol: string | undefined = PTY_PROTOCOL_V2) {
    return new Terminal(this.address, query, protocol);
  }

  /** A terminal of the first protocol. */
  oldTerminal(query: Record<string, string | number> = {}): OldTerminal {
    return new OldTerminal(this.address, query);
  }
}

/** A client of the second protocol: bytes, and control frames in the order in which they came. */
export class Terminal {
  readonly socket: WebSocket;
  readonly frames: ServerControl[] = [];
  readonly closed: Promise<number>;
  /** Position of the first byte that arrived. */
  offset = -1;
  #chunks: Buffer[] = [];

  constructor(address: string, query: Record<string, string | number>, protocol: string | undefined) {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) search.set(name, String(value));
    this.socket = new WebSocket(
      `ws://${address}/pty?${search.toString()}`,
      protocol === undefined ? [] : [protocol],
      {
        headers: { authorization: `Bearer ${TOKEN}` },
      },
    );
    this.closed = new Promise((resolve, reject) => {
      this.socket.once('close', resolve);
      this.socket.once('error', reject);
    });
    this.closed.catch(() => undefined);
    this.socket.on('message', (data: Buffer, binary) => this.receive(data, binary));
  }

  protected receive(data: Buffer, binary: boolean): void {
    if (binary) {
      this.#chunks.push(data);
      return;
    }
    const frame = parseServerControl(data.toString());
    if (frame === undefined) throw new Error(`no frame that we know: ${data.toString()}`);
    if (frame.type === 'ready') this.offset = frame.offset;
    this.frames.push(frame);
  }

  get bytes(): Buffer {
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }

  get text(): string {
    return this.bytes.toString();
  }

  /** Position after the last byte that has arrived. */
  get position(): number {
    return this.offset + this.bytes.length;
  }

  frame<K extends ServerControl['type']>(type: K): Promise<Extract<ServerControl, { type: K }>> {
    return until(`a frame ${type}`, () =>
      this.frames.find((f): f is Extract<ServerControl, { type: K }> => f.type === type),
    );
  }

  shows(part: string): Promise<string> {
    return until(`${JSON.stringify(part)} on the terminal; it shows ${this.text.slice(-500)}`, () =>
      this.text.includes(part) ? this.text : undefined,
    );
  }

  async type(input: string | Buffer): Promise<void> {
    await this.frame('ready');
    this.socket.send(Buffer.from(input));
  }

  send(frame: Record<string, unknown>): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** Cuts the connection without a goodbye, as a killed router does. */
  async cut(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}

/** A client of the first protocol: everything is JSON text. */
export class OldTerminal extends Terminal {
  readonly old: ServerFrameV1[] = [];
  #text = '';

  constructor(address: string, query: Record<string, string | number>) {
    super(address, query, undefined);
  }

  protected override receive(data: Buffer, binary: boolean): void {
    const frame = binary ? undefined : parseServerFrameV1(data.toString());
    if (frame === undefined) throw new Error(`no frame of the first protocol: ${data.toString()}`);
    this.old.push(frame);
    if (frame.type === 'output') this.#text += frame.data;
  }

  override get text(): string {
    return this.#text;
  }

  oldFrame<K extends ServerFrameV1['type']>(type: K): Promise<Extract<ServerFrameV1, { type: K }>> {
    return until(`a frame ${type}`, () =>
      this.old.find((f): f is Extract<ServerFrameV1, { type: K }> => f.type === type),
    );
  }

  override async type(input: string): Promise<void> {
    await until('a connection', () => (this.socket.readyState === WebSocket.OPEN ? true : undefined));
    this.send({ type: 'input', data: input });
  }
}
