// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SUITE = join(
  import.meta.dirname,
  '../../../node_modules/@modelcontextprotocol/conformance/dist/index.js',
);
const run = promisify(execFile);

export interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

/** Runs one scenario of MCP's public conformance suite against a server and answers its checks. */
export async function conformanceChecks(url: string, scenario: string): Promise<readonly Check[]> {
  const folder = await mkdtemp(join(tmpdir(), 'agenttier-mcp-'));
  const args = [SUITE, 'server', '--url', url, '--scenario', scenario, '--output-dir', folder];
  try {
    // It fails for a failed check, too, which is then among the checks.
    await run(process.execPath, args, { timeout: 50_000 }).catch(() => undefined);
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('checks.json'));
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    return texts.flatMap((text) => JSON.parse(text) as Check[]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Names of all scenarios that the suite has for servers. */
export async function conformanceScenarios(): Promise<readonly string[]> {
  const { stdout } = await run(process.execPath, [SUITE, 'list'], { timeout: 50_000 });
  const [, servers = ''] = /Server scenarios[^\n]*\n(.*?)\n\n/s.exec(stdout) ?? [];
  return [...servers.matchAll(/^ +- (\S+)/gm)].map(([, name = '']) => name);
}

/** What a scenario says against a server: nothing when it passed at least one check and failed none. */
export function complaints(checks: readonly Check[]): readonly string[] {
  const failed = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  if (checks.every(({ status }) => status !== 'SUCCESS')) return ['no check was passed'];
  return failed.map(({ id, errorMessage }) => `${id}: ${errorMessage ?? 'failed'}`);
}
