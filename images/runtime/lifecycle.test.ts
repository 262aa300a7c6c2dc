// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime, buildRuntime, until } from './testRuntime.ts';

let program = '';

beforeAll(() => {
  program = buildRuntime();
}, 240_000);

afterAll(() => {
  rmSync(dirname(program), { recursive: true, force: true });
});

const script = (text: string): string[] => ['--', '/bin/sh', '-c', text];

describe('the life of the container', () => {
  it('is that of the command, whose exit code it takes', async () => {
    const runtime = await Runtime.start(program, script('echo hello from the command; sleep 0.3; exit 7'));
    expect(await runtime.exited).toBe(7);
    expect(runtime.log).toContain('hello from the command');
  });

  it('ends with 127 when the command is not there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'agenttier-sandbox-'));
    const token = join(folder, 'token');
    writeFileSync(token, 'x');
    const flags = ['--listen-addr', '127.0.0.1:0', '--token-file', token, '--workdir', folder];
    const result = spawnSync(program, ['serve', ...flags, '--', 'no-such-program'], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(result.status).toBe(127);
    expect(result.stderr).toContain('no-such-program');
  });

  it('does not begin without a token', () => {
    const result = spawnSync(program, ['serve', '--token-file', '/no/such/token'], { encoding: 'utf8' });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('not starting without a token');
  });

  it('ends on SIGTERM: the command is asked, terminals get their exit frame', async () => {
    const runtime = await Runtime.start(program, [
      '--shell',
      '/bin/sh',
      ...script('trap "echo asked; exit 0" TERM; while :; do sleep 0.05; done'),
    ]);
    const terminal = runtime.terminal();
    await terminal.type("echo rea''dy\n");
    await terminal.shows('ready');
    const began = Date.now();
    runtime.process.kill('SIGTERM');
    expect((await terminal.frame('exit')).signal).toMatch(/^SIG(HUP|TERM)$/);
    expect(await terminal.closed).toBe(1000);
    expect(await runtime.exited).toBe(0);
    expect(runtime.log).toContain('asked');
    expect(Date.now() - began).toBeLessThan(5000);
  });

  it('ends within eight seconds whatever its processes do', async () => {
    const deaf = script('trap "" TERM HUP; echo deaf; while :; do sleep 1; done');
    const runtime = await Runtime.start(program, deaf);
    await until('the signals to be ignored', () => runtime.log.includes('deaf') || undefined);
    const began = Date.now();
    runtime.process.kill('SIGTERM');
    await runtime.exited;
    const took = Date.now() - began;
    expect(took).toBeGreaterThan(5000);
    expect(took).toBeLessThan(8000);
  });

  it('leaves no zombies and does no work while idle', async () => {
    const runtime = await Runtime.start(program);
    const pid = runtime.process.pid ?? 0;
    await runtime.exec({ command: ['sh', '-c', 'for i in 1 2 3 4 5; do (sleep 0.05 &); done'] });
    await until('all orphans to be reaped', () => (childrenOf(pid) === '' ? true : undefined));
    const before = cpuTicks(pid);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(cpuTicks(pid) - before).toBeLessThanOrEqual(1);
    await runtime.stop();
  });
});

describe('install', () => {
  it('copies the program, also over an older copy', () => {
    const folder = mkdtempSync(join(tmpdir(), 'agenttier-bin-'));
    const target = join(folder, 'bin', 'agenttier-runtime');
    for (let i = 0; i < 2; i++) {
      expect(spawnSync(program, ['install', dirname(target)]).status).toBe(0);
      expect(statSync(target).mode & 0o777).toBe(0o755);
      expect(readFileSync(target).equals(readFileSync(program))).toBe(true);
    }
    expect(spawnSync(target, ['version'], { encoding: 'utf8' }).stdout).toContain('protocol 2');
    rmSync(folder, { recursive: true });
  });

  it('says what is wrong', () => {
    const result = spawnSync(program, ['install', '/proc/nowhere'], { encoding: 'utf8' });
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^\[agenttier\] install: mkdir/);
    expect(spawnSync(program, ['install']).status).toBe(2);
  });
});

describe('attach', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.start(program, ['--shell', '/bin/sh'], { PS1: '' });
  });
  afterAll(async () => {
    await runtime.stop();
  });

  function attach(...args: string[]): {
    child: ChildProcess;
    output: () => string;
    code: Promise<number | null>;
  } {
    const fixed = ['--addr', runtime.address, '--token-file', runtime.tokenFile];
    const child = spawn(program, ['attach', ...fixed, ...args]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    return { child, output: () => output, code: new Promise((resolve) => child.once('exit', resolve)) };
  }

  it('joins the session in raw bytes and ends with the exit code of the shell', async () => {
    const other = runtime.terminal({ session: 'joined' });
    await other.type("stty -echo; KEPT=yes; echo rea''dy\n");
    await other.shows('ready');
    const { child, output, code } = attach('--session', 'joined', '--cols', '99', '--rows', '44');
    child.stdin?.write("echo $KEPT; stty size; printf '\\033[1m\\377'; echo\n");
    await until('output', () => (output().includes('yes\r\n44 99\r\n\u001b[1m') ? true : undefined));
    child.stdin?.write('exit 21\n');
    expect(await code).toBe(21);
    expect(await other.closed).toBe(1000);
  });

  it('detaches when its input ends; the shell lives on', async () => {
    const { child, output, code } = attach('--session', 'left');
    child.stdin?.write("LEFT=here; echo rea''dy\n");
    await until('output', () => (output().includes('ready\r\n') ? true : undefined));
    child.stdin?.end();
    expect(await code).toBe(0);
    const again = runtime.terminal({ session: 'left' });
    await again.type('echo still-$LEFT\n');
    await again.shows('still-here');
    await again.cut();
  });

  it('follows the size of its own terminal, as pods/exec sets it', async () => {
    // script(1) gives the program a terminal, as the kubelet does.
    const command = `stty rows 20 cols 70; ${program} attach --session sized --addr ${runtime.address} --token-file ${runtime.tokenFile}`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const code = new Promise((resolve) => child.once('exit', resolve));
    await until('the session', async () => {
      const { sessions } = (await (await runtime.fetch('/sessions')).json()) as {
        sessions: { name: string; clients: number }[];
      };
      return sessions.find(({ name, clients }) => name === 'sized' && clients === 1);
    });
    child.stdin.write('stty size\n');
    await until('the size', () => (output.includes('20 70') ? true : undefined));
    child.stdin.write('exit 6\n');
    expect(await code).toBe(6);
  });

  it('fails with 255 and a reason', async () => {
    const { output, code } = attach('--token-file', '/no/such/token');
    expect(await code).toBe(255);
    expect(output()).toContain('/no/such/token');
    const noShell = attach('--session', 'x', '--mode', 'admin');
    expect(await noShell.code).toBe(255);
  });
});

function childrenOf(pid: number): string {
  return spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout.trim();
}

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
