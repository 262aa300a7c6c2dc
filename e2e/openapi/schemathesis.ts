// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { cacheFolder } from '../cluster/host/cache.ts';

/** Exactly one, so that what it finds today it finds tomorrow. */
const VERSION = '4.32.5';

export interface ConformanceOptions {
  /** Of the router, without `/api/v1`. */
  readonly url: string;
  readonly key: string;
  /** Values that parameters always have, by `path.name` or `query.name`: made-up names lead nowhere. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Operations that are left out. */
  readonly without: readonly string[];
  /** Examples per operation and phase. */
  readonly examples: number;
  readonly seconds: number;
}

export interface ConformanceReport {
  /** 0 when nothing was found. */
  readonly code: number;
  readonly text: string;
}

/**
 * Asks every operation of the router's OpenAPI document for what it promises, with values that fit and values that do
 * not: no 5xx, and no answer of a status, type or shape that the document does not name.
 */
export async function runSchemathesis(options: ConformanceOptions): Promise<ConformanceReport> {
  const python = await installed();
  const folder = mkdtempSync(join(tmpdir(), 'agenttier-openapi-'));
  try {
    writeFileSync(join(folder, 'schemathesis.toml'), settings(options));
    return await run(python, ['-m', 'schemathesis.cli', ...argumentsOf(options)], folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In a virtual environment in the cache folder, made when it is not there; resolves with its Python. */
async function installed(): Promise<string> {
  const folder = join(cacheFolder(process.env, homedir()), 'python', `schemathesis-${VERSION}`);
  const python = join(folder, 'bin', 'python');
  const mark = join(folder, 'complete');
  if (existsSync(mark)) return python;
  // Its scripts name its own path, so it cannot be made elsewhere and moved into place: the mark says that it is whole.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await must('python3', ['-m', 'venv', folder]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  await must(python, [...pip, `schemathesis==${VERSION}`]);
  writeFileSync(mark, '');
  return python;
}

/** The key is in a file of ours: not among the arguments, which every user of the machine can read. */
function settings({ parameters, key }: ConformanceOptions): string {
  const fixed = Object.entries(parameters).map(
    ([name, value]) => `${JSON.stringify(name)} = ${JSON.stringify(value)}`,
  );
  const lines = ['[headers]', `X-API-Key = ${JSON.stringify(key)}`, '[parameters]', ...fixed];
  return `${lines.join('\n')}\n`;
}

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'allow_header_conformance',
];

function argumentsOf({ url, without, examples, seconds }: ConformanceOptions): string[] {
  const fixed = `--phases coverage,fuzzing --request-timeout 10 --continue-on-failure --no-shrink --seed 1 --workers 1`;
  return [
    'run',
    `${url}/api/v1/openapi.json`,
    `--checks=${CHECKS.join(',')}`,
    `--max-examples=${examples}`,
    `--max-time=${seconds}`,
    '--generation-database=none',
    '--no-color',
    ...fixed.split(' '),
    ...without.map((operation) => `--exclude-operation-id=${operation}`),
  ];
}

async function must(program: string, given: readonly string[]): Promise<void> {
  const { code, text } = await run(program, given, tmpdir());
  if (code !== 0) throw new Error(`${program} ${given.join(' ')}: ${text}`);
}

function run(program: string, given: readonly string[], cwd: string): Promise<ConformanceReport> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, given, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const parts: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => parts.push(part));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, text: Buffer.concat(parts).toString() }));
  });
}
