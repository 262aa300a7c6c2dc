// SPDX-License-Identifier: Apache-2.0
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '@agenttier/machinery/testing/until';
import { runtimeToken } from './tokens.ts';

const SOURCE = fileURLToPath(new URL('../../../images/runtime', import.meta.url));

/** uid of the sandbox whose token the program knows. */
export const REAL_UID = 'real-runtime';

/** The program that runs in sandboxes, built from its source and run on loopback. */
export class RealRuntime {
  readonly port: number;
  readonly binary: string;
  /** Where it works: the workspace. */
  readonly folder: string;
  readonly #process: ChildProcess;

  private constructor(fields: { port: number; binary: string; folder: string; process: ChildProcess }) {
    this.port = fields.port;
    this.binary = fields.binary;
    this.folder = fields.folder;
    this.#process = fields.process;
  }

  static async start(environment: NodeJS.ProcessEnv): Promise<RealRuntime> {
    const folder = await mkdtemp(join(tmpdir(), 'agenttier-runtime-'));
    const binary = join(folder, 'agenttier-runtime');
    const env = { ...environment, CGO_ENABLED: '0' };
    await promisify(execFile)('go', ['build', '-o', binary, '.'], { cwd: SOURCE, env });
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, runtimeToken(REAL_UID), { mode: 0o400 });
    const port = await freePort();
    const options = ['--listen-addr', `127.0.0.1:${port}`, '--workdir', folder, '--token-file', tokenFile];
    const child = spawn(binary, ['serve', '--shell', '/bin/bash', ...options], {
      stdio: 'ignore',
      env: { ...env, PS1: '$ ' },
    });
    const answers = async (): Promise<boolean> =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        (answer) => answer.ok,
        () => false,
      );
    await until(answers, 'the runtime to answer');
    return new RealRuntime({ port, binary, folder, process: child });
  }

  get tokenFile(): string {
    return join(this.folder, 'token');
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
