// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { Account } from './account.ts';

/** How a command is run beyond its name and arguments. */
export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to standard input, which is empty otherwise. */
  readonly input?: string;
  /** Runs the command as this account instead of root. */
  readonly as?: Account;
  /** Milliseconds until the command is killed; ten minutes unless told. */
  readonly timeoutMs?: number;
  /** Called with each line of output, for progress. */
  readonly onLine?: (line: string) => void;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that ended with something else than 0; the message carries the end of what it printed. */
export class CommandError extends Error {
  readonly outcome: Outcome;

  constructor(command: string, outcome: Outcome) {
    const said = tail(`${outcome.stdout}\n${outcome.stderr}`.trim(), 15);
    super(`${command} ended with ${outcome.code}${said === '' ? '' : `:\n${said}`}`);
    this.name = 'CommandError';
    this.outcome = outcome;
  }
}

/** The last lines of a text. */
export function tail(text: string, lines: number): string {
  return text.split('\n').slice(-lines).join('\n');
}

function identity(account: Account | undefined): { uid?: number; gid?: number; env: Record<string, string> } {
  if (account === undefined || account.uid === process.getuid?.()) return { env: {} };
  return { uid: account.uid, gid: account.gid, env: { HOME: account.home, USER: account.name } };
}

/** Runs a command to its end and returns what it said, whatever the exit code; a missing program gives code 127. */
export function tryRun(file: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { env, ...who } = identity(options.as);
  return new Promise((resolve) => {
    const child = spawn(file, [...args], {
      ...who,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 600_000,
      killSignal: 'SIGKILL',
    });
    const out: string[] = [];
    const err: string[] = [];
    const listen = (into: string[]) => (chunk: string) => {
      into.push(chunk);
      if (options.onLine !== undefined)
        for (const line of chunk.split('\n')) if (line !== '') options.onLine(line);
    };
    child.stdout.setEncoding('utf8').on('data', listen(out));
    child.stderr.setEncoding('utf8').on('data', listen(err));
    child.on('error', (error) => resolve({ code: 127, stdout: '', stderr: error.message }));
    child.on('close', (code, signal) =>
      resolve({
        code: code ?? 128,
        stdout: out.join(''),
        stderr: signal === null ? err.join('') : `${err.join('')}\nkilled by ${signal}`,
      }),
    );
    child.stdin.on('error', () => undefined); // a command that does not read its input closes it early
    child.stdin.end(options.input ?? '');
  });
}

/** Runs a command and returns its standard output; throws CommandError when it fails. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await tryRun(file, args, options);
  if (outcome.code !== 0) throw new CommandError([file, ...args.slice(0, 4)].join(' '), outcome);
  return outcome.stdout;
}
