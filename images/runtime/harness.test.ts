// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime, buildRuntime } from './testRuntime.ts';

let program = '';
let folder = '';

beforeAll(() => {
  program = buildRuntime();
  folder = mkdtempSync(join(tmpdir(), 'harness-'));
}, 240_000);

afterAll(() => {
  for (const one of [dirname(program), folder]) rmSync(one, { recursive: true, force: true });
});

async function post(runtime: Runtime, path: string, body: object): Promise<unknown> {
  return (await runtime.fetch(path, { method: 'POST', body: JSON.stringify(body) })).json();
}

describe('the harness in the runtime', () => {
  it('runs a hook once for its id and answers every caller alike', async () => {
    const runtime = await Runtime.start(program, ['--shell', '/bin/sh']);
    const log = join(folder, 'hooks');
    const hook = { id: 'pod/onStart/1', script: `echo $AGENTTIER_HOOK >> ${log}; exit 4` };
    const answers = await Promise.all([1, 2, 3].map(() => post(runtime, '/hooks/onStart', hook)));
    for (const answer of answers) expect(answer).toMatchObject({ exitCode: 4, timedOut: false });
    expect(readFileSync(log, 'utf8')).toBe('onStart\n');
    expect(await post(runtime, '/hooks/onBirthday', hook)).toMatchObject({ code: 400 });
    await runtime.stop();
  });

  it('verifies tools', async () => {
    const runtime = await Runtime.start(program, ['--shell', '/bin/sh']);
    const tools = [{ name: 'sh', verifyCommand: 'echo sh 1.2.3' }, { name: 'no-such-tool' }];
    expect(await post(runtime, '/tools', { id: 'a', tools })).toMatchObject({
      tools: [
        { name: 'sh', version: '1.2.3', ready: true },
        { name: 'no-such-tool', ready: false },
      ],
    });
    await runtime.stop();
  });

  it('gives no command more time than the sandbox allows, and no file more room', async () => {
    const limits = ['--max-command-timeout', '300ms', '--max-file-bytes', '4096'];
    const runtime = await Runtime.start(program, limits);
    const slow = { command: ['/bin/sh', '-c', 'sleep 600'], timeoutSeconds: 600 };
    expect(await post(runtime, '/exec', slow)).toMatchObject({
      timedOut: true,
      stderr: expect.stringContaining("the sandbox's maxCommandTimeout"),
    });
    const large = { command: ['/bin/sh', '-c', `head -c 5000 /dev/zero > ${join(folder, 'large')}`] };
    expect(await post(runtime, '/exec', large)).toMatchObject({
      stderr: expect.stringContaining('File too large'),
    });
    expect(statSync(join(folder, 'large')).size).toBe(4096);
    await runtime.stop();
  });

  it('brings files, runs scripts once, and ends with the exit code of the one that failed', () => {
    const plan = mkdtempSync(join(folder, 'plan-'));
    const workdir = mkdtempSync(join(folder, 'work-'));
    const scripts = ['echo one >> log', 'echo two >&2; exit 9'];
    for (const [i, text] of scripts.entries()) writeFileSync(join(plan, `s${i}`), text);
    writeFileSync(join(plan, 'f0'), 'hello');
    const files = [{ path: 'deep/a.txt', mode: 0o600, source: 'f0' }];
    const manifest = { files, scripts: scripts.map((_, i) => ({ source: `s${i}` })), shell: '/bin/sh' };
    writeFileSync(join(plan, 'plan.json'), JSON.stringify(manifest));
    const run = (command: string) =>
      spawnSync(program, [command, '--plan', plan, '--workdir', workdir], { encoding: 'utf8' });
    expect(run('files').status).toBe(0);
    expect(readFileSync(join(workdir, 'deep/a.txt'), 'utf8')).toBe('hello');
    expect(statSync(join(workdir, 'deep/a.txt')).mode & 0o777).toBe(0o600);
    for (let i = 0; i < 2; i++) {
      const failed = run('scripts');
      expect(failed.status).toBe(9);
      expect(failed.stderr).toContain(
        'init script 2 of 2 (echo two >&2; exit 9) ended with exit code 9: two',
      );
    }
    expect(readFileSync(join(workdir, 'log'), 'utf8')).toBe('one\n');
  });
});
