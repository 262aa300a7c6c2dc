// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

const TERMINATE_MS = 5000;

/** Started and not yet ended; killed without further ado when this process ends, however it ends. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A program of the control plane with its output in a file. */
export class Program {
  readonly name: string;
  readonly #logFile: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(options: {
    readonly binary: string;
    readonly name: string;
    readonly args: readonly string[];
    readonly logFile: string;
  }) {
    this.name = options.name;
    this.#logFile = options.logFile;
    const log = openSync(options.logFile, 'a');
    this.#child = spawn(options.binary, [options.name, ...options.args], { stdio: ['ignore', log, log] });
    closeSync(log);
    running.add(this.#child);
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('exit', () => resolve());
    });
    void this.#ended.then(() => running.delete(this.#child));
  }

  /** Throws with the end of the log when the program is no longer running. */
  check(): void {
    if (running.has(this.#child)) return;
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
