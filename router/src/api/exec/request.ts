// SPDX-License-Identifier: Apache-2.0
import type { ExecRequest } from '../../cluster/runtimeClient.ts';
import { refusals } from '../errors.ts';

const DEFAULT_SECONDS = 30;
/** The runtime's own ceilings: of a command that somebody waits for, and of one for which nobody does. */
const MAX_SECONDS = 1800;
const MAX_DETACHED_SECONDS = 86_400;
const MAX_OUTPUT = 8 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/** Reads the body of an exec: `command` as a line for `/bin/sh -c`, or as a list that is run without any shell. */
export function readExec(body: unknown): ExecRequest {
  const fields = typeof body === 'object' && body !== null ? (body as Fields) : {};
  const detach = readFlag(fields, 'detach');
  if (detach && readFlag(fields, 'stream'))
    throw wrong('stream', 'is for a command that is waited for, not for detach');
  return {
    command: readCommand(fields['command']),
    timeoutSeconds: readTimeout(fields['timeout'], detach),
    ...present('stdin', readText(fields, 'stdin')),
    ...present('workingDir', readText(fields, 'workingDir')),
    ...present('env', readEnv(fields['env'])),
    ...present('encoding', readEncoding(fields['encoding'])),
    ...present('limits', readLimits(fields['limits'])),
    ...(detach ? { detach } : {}),
  };
}

/** Whether output is wanted while it comes. */
export const wantsStream = (body: unknown, accept: string | readonly string[] | undefined): boolean =>
  (body as Fields | undefined)?.['stream'] === true || String(accept ?? '').includes('text/event-stream');

const wrong = (field: string, message: string) => refusals.invalidFields([{ field, message }]);

const present = <K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { [P in K]?: V };

function readCommand(command: unknown): string[] {
  if (typeof command === 'string' && command !== '') return ['/bin/sh', '-c', command];
  const isList = Array.isArray(command) && command.length > 0 && command[0] !== '';
  if (isList && command.every((part): part is string => typeof part === 'string')) return command;
  throw wrong('command', 'is required: a shell line, or a list of a program and its arguments');
}

function readTimeout(timeout: unknown, detach: boolean): number {
  const most = detach ? MAX_DETACHED_SECONDS : MAX_SECONDS;
  if (timeout === undefined || timeout === null || timeout === 0)
    return detach ? MAX_SECONDS : DEFAULT_SECONDS;
  if (typeof timeout === 'number' && Number.isInteger(timeout) && timeout > 0 && timeout <= most)
    return timeout;
  throw wrong('timeout', `must be a whole number of seconds from 1 to ${most}`);
}

function readFlag(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value === 'boolean') return value;
  if (value === undefined || value === null) return false;
  throw wrong(name, 'must be true or false');
}

function readText(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw wrong(name, 'must be a string');
}

function readEnv(env: unknown): Record<string, string> | undefined {
  if (env === undefined || env === null) return undefined;
  const isMap = typeof env === 'object' && !Array.isArray(env);
  if (isMap && Object.values(env).every((value) => typeof value === 'string'))
    return env as Record<string, string>;
  throw wrong('env', 'must be an object of names and strings');
}

function readEncoding(encoding: unknown): 'utf-8' | 'base64' | undefined {
  if (encoding === undefined || encoding === null || encoding === '') return undefined;
  if (encoding === 'utf-8' || encoding === 'base64') return encoding;
  throw wrong('encoding', 'must be utf-8 or base64');
}

function readLimits(limits: unknown): ExecRequest['limits'] {
  if (limits === undefined || limits === null) return undefined;
  const { stdout, stderr } = limits as Fields;
  for (const [name, value] of Object.entries({ stdout, stderr })) {
    const ok = typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MAX_OUTPUT;
    if (value !== undefined && !ok) throw wrong(`limits.${name}`, `must be from 1 to ${MAX_OUTPUT} bytes`);
  }
  return {
    ...present('stdout', stdout as number | undefined),
    ...present('stderr', stderr as number | undefined),
  };
}
