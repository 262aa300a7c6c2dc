// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** What `.local/env` exports, as a script that sources it would see it. */
export const environment: Readonly<Record<string, string>> = Object.fromEntries(
  readFileSync(join(root, '.local/env'), 'utf8')
    .split('\n')
    .map((line) => /^export ([A-Z_]+)=(?:'(.*)'|"(.*)"|(.*))$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => [match[1] ?? '', match[2] ?? match[3] ?? match[4] ?? '']),
);

export const apiUrl = environment['AGENTTIER_API_URL'] ?? '';
export const apiKey = environment['AGENTTIER_API_KEY'] ?? '';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export const childEnvironment = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  ...environment,
  PATH: `${join(root, '.local/bin')}:${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
  ...extra,
});

/** Runs a program to its end and keeps what it printed; never throws for an exit code. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: childEnvironment(options.env),
      timeout: options.timeoutMs ?? 120_000,
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        code: code ?? -1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
    child.stdin.on('error', () => {}); // a program that ends without reading its input is not a fault of the walk
    child.stdin.end(options.stdin ?? '');
  });
}

export const kubectl = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  run('kubectl', args, options);

/** `kubectl agenttier`, through kubectl itself, so that the plugin is found as a user's kubectl finds it. */
export const plugin = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  run('kubectl', ['agenttier', ...args], options);

/** The outcome's standard output; throws with everything that was printed unless the program ended well. */
export async function ok(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

export const apply = (yaml: string, namespace: string): Promise<Outcome> =>
  kubectl(['apply', '-n', namespace, '-f', '-'], { stdin: yaml });

/** Whatever kubectl or the router answered; a walk asserts on it, and a missing field fails the assertion. */
export type Json = any;

export async function getJson(args: readonly string[]): Promise<Json> {
  return JSON.parse(await ok(kubectl(['get', ...args, '-o', 'json'])));
}

/**
 * Asks again until `probe` gives something other than undefined or false. The pause is the asking rate of an
 * outside observer, not a wait for time to pass; the deadline turns silence into a failure that says `what`.
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  timeoutMs = 90_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`Timed out after ${timeoutMs} ms waiting for ${what}`, { cause: last });
}

export const phaseOf = async (name: string, namespace: string): Promise<string> =>
  (await getJson(['sandbox', name, '-n', namespace])).status?.phase ?? '';

export async function untilPhase(
  name: string,
  namespace: string,
  phase: string,
  timeoutMs = 120_000,
): Promise<Json> {
  try {
    return await until(
      `${namespace}/${name} to be ${phase}`,
      async () => {
        const object = await getJson(['sandbox', name, '-n', namespace]);
        return object.status?.phase === phase ? object : undefined;
      },
      timeoutMs,
    );
  } catch (error) {
    const state = await kubectl(['get', 'sandbox', name, '-n', namespace, '-o', 'yaml']);
    throw new Error(`${String(error)}\n${state.stdout}${state.stderr}`, { cause: error });
  }
}

/** Runs a shell command in a running sandbox and gives what it printed. */
export const inSandbox = (name: string, namespace: string, script: string): Promise<Outcome> =>
  plugin(['exec', '-n', namespace, name, '--', '/bin/sh', '-c', script]);

/** A namespace of the walk's own, with Pod Security "restricted" enforced, gone when the walk ends. */
export function walkNamespace(prefix: string): () => string {
  const name = `${prefix}-${Date.now().toString(36)}`;
  beforeAll(async () => {
    await ok(kubectl(['create', 'namespace', name]));
    await ok(kubectl(['label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted']));
  });
  afterAll(async () => {
    await ok(kubectl(['delete', 'sandboxes', '--all', '-n', name, '--wait=true', '--timeout=90s']));
    await ok(kubectl(['delete', 'namespace', name, '--wait=false']));
  });
  return () => name;
}

/**
 * A ClusterSandboxTemplate for the walk. Ask for it before the namespace: hooks after a walk run last first, and the
 * template can go only when the sandboxes that use it are gone.
 */
export function walkTemplate(name: string, yaml: string): void {
  beforeAll(async () => {
    await ok(apply(yaml, 'default'));
  });
  afterAll(async () => {
    await until('the template to be free and gone', async () => {
      const { code } = await kubectl(['delete', 'clustersandboxtemplate', name, '--ignore-not-found']);
      return code === 0;
    });
  });
}

export const minimalSandbox = (name: string, extra = ''): string => `
apiVersion: agenttier.io/v1alpha1
kind: Sandbox
metadata:
  name: ${name}
spec:
  templateRef:
    name: minimal-shell
${extra}`;

/** One REST call as the install's administrator. */
export async function rest(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Json }> {
  const answer = await fetch(`${apiUrl}/api/v1${path}`, {
    method,
    headers: { 'X-API-Key': apiKey, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}
