// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tail } from '../host/command.ts';
import { waitFor } from '../host/waitFor.ts';

/** A long-running program of the node and how one sees that it works. */
export interface ProcessSpec {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** The name that the program sees as its own; the multi-call binary chooses by it. */
  readonly argv0?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Contents of files read at the start: a change restarts the process. */
  readonly inputs?: readonly string[];
  readonly ready: () => Promise<true | string>;
  readonly deadlineMs?: number;
}

/** What is kept about a started process. Pid and start time together name it for good: pids are reused. */
export interface ProcessRecord {
  readonly pid: number;
  readonly startTime: string;
  readonly fingerprint: string;
}

/** Field 22 of /proc/PID/stat (clock ticks after boot). The program's name, field 2, may hold spaces and brackets. */
export function parseStartTime(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** State letter and parent of a process, from /proc/PID/stat. */
export function parseParent(stat: string): { state: string; parent: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]) };
}

export function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined; // gone, which is an answer too
  }
}

/** Whether that very process still runs; a zombie does not. */
export function isAlive(record: Pick<ProcessRecord, 'pid' | 'startTime'>): boolean {
  const stat = readProc(record.pid, 'stat');
  return stat !== undefined && parseStartTime(stat) === record.startTime && parseParent(stat).state !== 'Z';
}

/** Changes when the program, its arguments, its environment or the files it read at the start change. */
export function fingerprint(spec: Pick<ProcessSpec, 'file' | 'args' | 'env' | 'inputs'>): string {
  return createHash('sha256')
    .update(JSON.stringify([spec.file, spec.args, spec.env, spec.inputs]))
    .digest('hex');
}

/** The node's processes, each with `NAME.json` (pid, start time) and `NAME.log` in one folder. */
export class Processes {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  logFile(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  record(name: string): ProcessRecord | undefined {
    try {
      return JSON.parse(readFileSync(join(this.#folder, `${name}.json`), 'utf8')) as ProcessRecord;
    } catch {
      return undefined; // never started, or a half-written record of a crashed start
    }
  }

  names(): string[] {
    try {
      return readdirSync(this.#folder).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : []));
    } catch {
      return [];
    }
  }

  /** Makes the process run and be ready; says whether it was `kept`, `started` or `restarted`. */
  async ensure(spec: ProcessSpec): Promise<'kept' | 'started' | 'restarted'> {
    const old = this.record(spec.name);
    const alive = old !== undefined && isAlive(old);
    if (alive && old.fingerprint === fingerprint(spec) && (await spec.ready().catch(() => 'failed')) === true)
      return 'kept';
    if (alive) await this.stop(spec.name);
    const record = this.#start(spec);
    await waitFor({ what: `${spec.name} ready`, deadlineMs: spec.deadlineMs ?? 60_000 }, async () => {
      if (!isAlive(record))
        throw new Error(`${spec.name} ended right after its start:\n${this.#lastWords(spec.name)}`);
      return spec.ready().catch((error: unknown) => String(error));
    }).catch((error: unknown) => {
      throw new Error(
        `${String(error)}\nlast lines of ${this.logFile(spec.name)}:\n${this.#lastWords(spec.name)}`,
        { cause: error },
      );
    });
    return old === undefined ? 'started' : 'restarted';
  }

  /** Asks the process to end, then ends it; does nothing for one that is gone. */
  async stop(name: string, graceMs = 8_000): Promise<void> {
    const record = this.record(name);
    if (record !== undefined) await endProcess(record, graceMs);
    rmSync(join(this.#folder, `${name}.json`), { force: true });
  }

  #start(spec: ProcessSpec): ProcessRecord {
    mkdirSync(this.#folder, { recursive: true });
    const log = openSync(this.logFile(spec.name), 'a');
    const child = spawn(spec.file, [...spec.args], {
      detached: true, // its own session: Ctrl-C on `make up` must not end the node
      cwd: '/',
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'] ?? '', HOME: '/root', ...spec.env },
      ...(spec.argv0 === undefined ? {} : { argv0: spec.argv0 }),
    });
    closeSync(log);
    child.on('error', () => undefined); // seen below as a process without a pid
    child.unref();
    const stat = child.pid === undefined ? undefined : readProc(child.pid, 'stat');
    const startTime = stat === undefined ? undefined : parseStartTime(stat);
    if (child.pid === undefined || startTime === undefined)
      throw new Error(`cannot start ${spec.name}: ${spec.file}`);
    const record = { pid: child.pid, startTime, fingerprint: fingerprint(spec) };
    writeFileSync(join(this.#folder, `${spec.name}.json`), JSON.stringify(record));
    return record;
  }

  #lastWords(name: string): string {
    try {
      return tail(readFileSync(this.logFile(name), 'utf8').trimEnd(), 12);
    } catch {
      return '(no log)';
    }
  }
}

/** SIGTERM, and SIGKILL when the grace has passed. Returns when the process is gone. */
export async function endProcess(
  record: Pick<ProcessRecord, 'pid' | 'startTime'>,
  graceMs: number,
): Promise<void> {
  for (const [signal, patience] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', 10_000],
  ] as const) {
    if (!isAlive(record)) return;
    try {
      process.kill(record.pid, signal);
    } catch {
      return; // ended between the look and the signal
    }
    const gone = async (): Promise<true | string> => (isAlive(record) ? 'alive' : true);
    const ended = await waitFor(
      { what: `process ${record.pid} gone`, deadlineMs: patience, everyMs: 20 },
      gone,
    ).then(
      () => true,
      () => false,
    );
    if (ended) return;
  }
  throw new Error(`process ${record.pid} survives SIGKILL`);
}
