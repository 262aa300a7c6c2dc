// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

const TERMINATE_MS = 5000;

/** Reads `+pid` and `-pid` lines until its input ends, then kills what is left and removes the folder. */
const REAPER = `
alive=""
while read -r line; do
  case $line in
    +*) alive="$alive \${line#+}" ;;
    -*) kept=""; for pid in $alive; do [ "$pid" = "\${line#-}" ] || kept="$kept $pid"; done; alive=$kept ;;
  esac
done
for pid in $alive; do kill -9 "$pid"; done
sleep 1
rm -rf "$1"
`;

/**
 * Cleans up when this process ends without doing so itself, be it by SIGKILL: its input is a pipe that ends with us. In
 * a session of its own, so that Ctrl-C at a terminal does not reach it.
 */
export class Reaper {
  readonly #child: ChildProcess;

  constructor(folder: string) {
    const stdio: StdioOptions = ['pipe', 'ignore', 'ignore'];
    this.#child = spawn('sh', ['-c', REAPER, 'reaper', folder], { stdio, detached: true });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.unref();
  }

  watch(child: ChildProcess): void {
    const { pid } = child;
    if (pid === undefined) return;
    this.#child.stdin?.write(`+${pid}\n`);
    child.once('exit', () => this.#child.stdin?.write(`-${pid}\n`));
  }

  /** Everything is cleaned up: nothing is left to do. */
  dismiss(): void {
    this.#child.kill('SIGKILL');
  }
}

interface ProgramOptions {
  readonly binary: string;
  readonly name: string;
  readonly args: readonly string[];
  /** The binary is one program, not many that are told by their name. */
  readonly single?: boolean;
  readonly logFile: string;
  readonly reaper: Reaper;
}

/** A program of the control plane with its output in a file. */
export class Program {
  readonly name: string;
  readonly #logFile: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #running = true;

  constructor(options: ProgramOptions) {
    this.name = options.name;
    this.#logFile = options.logFile;
    const log = openSync(options.logFile, 'a');
    const args = options.single ? options.args : [options.name, ...options.args];
    this.#child = spawn(options.binary, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    options.reaper.watch(this.#child);
    this.#ended = new Promise<void>((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('exit', () => resolve());
    }).then(() => {
      this.#running = false;
    });
  }

  /** Throws with the end of the log when the program is no longer running. */
  check(): void {
    if (this.#running) return;
    const lines = readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(`${this.name} ended (code ${this.#child.exitCode ?? this.#child.signalCode}):\n${lines}`);
  }

  /** Asks the program to end, then insists. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), TERMINATE_MS);
    await this.#ended;
    clearTimeout(insist);
  }

  /** Ends the program as a crash would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** Distinct loopback ports that are free at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
