// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { adminKubeconfig } from '@agenttier/e2e/envtest/server';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** The process as it runs in its container, with the lines that it logs. */
class RouterProcess {
  readonly lines: Record<string, unknown>[] = [];
  readonly child: ChildProcess;
  code: number | null | undefined;

  constructor(env: Record<string, string>) {
    this.child = spawn(process.execPath, [MAIN], { env: { PATH: process.env['PATH'], ...env } });
    let rest = '';
    this.child.stdout?.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) this.lines.push(JSON.parse(line) as Record<string, unknown>);
    });
    this.child.on('exit', (code) => {
      this.code = code;
    });
  }

  async line(msg: string): Promise<Record<string, unknown>> {
    const find = (): Record<string, unknown> | undefined => this.lines.find((line) => line['msg'] === msg);
    await until(() => find() !== undefined || this.code !== undefined, `the line "${msg}"`, 20_000);
    return find() ?? {};
  }
}

let running: RouterProcess;
afterEach(() => void running.child.kill('SIGKILL'));

const statusOf = (url: string): Promise<number> =>
  fetch(url).then(
    (answer) => answer.status,
    () => 0,
  );

describe('the router process', () => {
  it('becomes ready, says when it stops being so, and ends cleanly within memory', async () => {
    running = new RouterProcess({
      KUBECONFIG: adminKubeconfig(),
      LISTEN_ADDR: '127.0.0.1:0',
      AGENTTIER_DEV_AUTH: 'true',
      AGENTTIER_DRAIN_DELAY_SECONDS: '1',
    });
    const url = `http://127.0.0.1:${String((await running.line('listening'))['port'])}`;
    await until(async () => (await statusOf(`${url}/readyz`)) === 200, 'readiness', 20_000);
    expect(
      running.lines.some((line) => line['level'] === 'warn' && /development mode/.test(String(line['msg']))),
    ).toBe(true);
    expect(await statusOf(`${url}/api/v1/sandboxes?token=hidden`)).toBe(200);
    expect(await line('request')).toMatchObject({
      method: 'GET',
      path: '/api/v1/sandboxes',
      status: 200,
      sub: 'dev-user',
    });
    expect(JSON.stringify(running.lines)).not.toContain('hidden');
    const memory = await readFile(`/proc/${running.child.pid}/status`, 'utf8');
    expect(Number(/VmRSS:\s+(\d+) kB/.exec(memory)?.[1])).toBeLessThan(200 * 1024);

    running.child.kill('SIGTERM');
    await until(async () => (await statusOf(`${url}/readyz`)) === 503, 'readiness to end');
    await until(() => running.code !== undefined, 'the process to end');
    expect(running.code).toBe(0);
  });

  it('does not start with development mode open to everybody', async () => {
    running = new RouterProcess({ AGENTTIER_DEV_AUTH: 'true' });
    expect(await line('the configuration is not valid')).toMatchObject({
      problems: [expect.stringContaining('ALLOW_REMOTE')],
    });
    await until(() => running.code !== undefined, 'the process to end');
    expect(running.code).toBe(1);
  });
});

const line = (msg: string): Promise<Record<string, unknown>> => running.line(msg);
