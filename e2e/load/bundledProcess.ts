// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'rolldown';

/** One file of JavaScript as in the image: run from sources, Node would hold its type stripper in memory as well. */
export async function bundled(source: string, folder: string): Promise<string> {
  const entryFileNames = `${basename(source, '.ts')}.mjs`;
  await build({
    input: join(import.meta.dirname, source),
    platform: 'node',
    output: { dir: folder, format: 'esm', entryFileNames },
    logLevel: 'warn',
  });
  return join(folder, entryFileNames);
}

/** Starts a program that ends with its standard input. Resolves with the first line it prints, rejects if it ends before. */
export async function startProcess(
  program: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly child: ChildProcess; readonly line: string }> {
  const child = spawn(process.execPath, [program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${basename(program)} ended with code ${String(code)} before it was ready`);
  });
  const told = once(createInterface({ input: child.stdout }), 'line');
  const [line] = (await Promise.race([told, ended])) as [string];
  ended.catch(() => undefined);
  return { child, line };
}

export async function stopProcess(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}
