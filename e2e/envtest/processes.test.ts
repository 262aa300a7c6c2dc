// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@agenttier/machinery/testing/until';
import { describe, expect, it } from 'vitest';

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('Reaper', () => {
  it('kills the programs and removes the folder of a process that was killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'reaper-'));
    const script = `
      import { Program, Reaper } from '${new URL('./processes.ts', import.meta.url).href}';
      import { spawn } from 'node:child_process';
      const reaper = new Reaper(${JSON.stringify(folder)});
      const children = [spawn('sleep', ['300']), spawn('sleep', ['301']), spawn('true')];
      for (const child of children) reaper.watch(child);
      children[2].once('exit', () => console.log(children[0].pid, children[1].pid));
    `;
    const runner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await runner.stdout.setEncoding('utf8').take(1).toArray()) as string[];
    const pids = (line ?? '').trim().split(' ').map(Number);
    expect(pids.map(isRunning)).toEqual([true, true]);
    runner.kill('SIGKILL');
    await until(() => !pids.some(isRunning) && !existsSync(folder), 'the reaper to clean up');
  });
});
